namespace Entrepot.Upstreams;

/// <summary>Where a requested repository is found.</summary>
/// <param name="Upstream">The upstream it belongs to.</param>
/// <param name="Repository">Its name there, without our prefixes and normalized.</param>
public sealed record Resolution(Upstream Upstream, string Repository);
