namespace Entrepot.Metadata;

/// <summary>A repository of an upstream.</summary>
/// <param name="Upstream">The upstream's configured name.</param>
/// <param name="Name">The repository's name there.</param>
public sealed record KnownRepository(string Upstream, string Name);
