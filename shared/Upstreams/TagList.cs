namespace Entrepot.Upstreams;

/// <summary>All tags of a repository.</summary>
/// <param name="Tags">In the upstream's order, each once.</param>
public sealed record TagList(IReadOnlyList<string> Tags);
