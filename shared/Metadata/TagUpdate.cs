namespace Entrepot.Metadata;

/// <summary>What an upstream says a tag points to.</summary>
/// <param name="Upstream">The upstream's configured name.</param>
/// <param name="Repository">The repository at the upstream.</param>
/// <param name="Tag">The tag.</param>
/// <param name="Digest">The manifest it points to.</param>
/// <param name="Epoch">The tag's epoch as read before the upstream was asked (<see cref="TagFacts.Epoch"/>, 0 when absent): a purge raises it and wins.</param>
public sealed record TagUpdate(string Upstream, string Repository, string Tag, string Digest, long Epoch);
