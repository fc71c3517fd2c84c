namespace Entrepot.Oci;

/// <summary>What a registry has to know of a manifest; the bytes themselves are served as they came.</summary>
public sealed record ParsedManifest
{
    /// <summary>The media type to store and serve, without parameters.</summary>
    public required string MediaType { get; init; }

    /// <summary>Whether the children are manifests rather than blobs.</summary>
    public required bool IsIndex { get; init; }

    /// <summary>What the manifest is made of, in its own order, config first; repetitions are kept. Never null.</summary>
    public required IReadOnlyList<ManifestChild> Children { get; init; }

    /// <summary>The manifest this one refers to (a signature, an SBOM), if any.</summary>
    public Descriptor? Subject { get; init; }

    /// <summary>The manifest's artifact type, else its config's media type; null for an index that says none.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The manifest's annotations, or null when it has none.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
