namespace Entrepot.Metadata;

/// <summary>What is known of a tag.</summary>
/// <param name="Digest">What it points to; null after a purge, whose epoch the row keeps.</param>
/// <param name="CheckedAt">When the upstream last said so.</param>
/// <param name="ChangedAt">When it last began to point elsewhere.</param>
/// <param name="Age">How long ago it was checked, by the database's clock.</param>
/// <param name="Epoch">Raised by every purge; to be given to <see cref="TagUpdate"/>.</param>
public sealed record TagFacts(string? Digest, DateTimeOffset CheckedAt, DateTimeOffset ChangedAt, TimeSpan Age, long Epoch);
