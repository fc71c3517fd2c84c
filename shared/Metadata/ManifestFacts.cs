namespace Entrepot.Metadata;

/// <summary>What is known of a manifest, as one repository asks for it.</summary>
public sealed record ManifestFacts
{
    /// <summary>The manifest, or null.</summary>
    public required HeldManifest? Held { get; init; }

    /// <summary>What speaks for this repository serving it.</summary>
    public required Rights Rights { get; init; }

    /// <summary>The upstreams through any of whose repositories it was downloaded: possession, not assertion.</summary>
    public required IReadOnlyList<string> PossessedBy { get; init; }
}
