namespace Entrepot.Metadata;

/// <summary>A manifest exactly as received, and what was read from it.</summary>
public sealed record StoredManifest
{
    /// <summary>The digest of <see cref="Bytes"/>, or of the signed payload in them (Docker schema 1).</summary>
    public required string Digest { get; init; }

    /// <summary>The media type it came with.</summary>
    public required string MediaType { get; init; }

    /// <summary>The bytes, verbatim.</summary>
    public required byte[] Bytes { get; init; }

    /// <summary>The digest it refers to (<c>subject</c>), or null. Not counted as a child.</summary>
    public string? Subject { get; init; }

    /// <summary>Its artifact type, or null.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>Its children, in order.</summary>
    public required IReadOnlyList<ManifestReference> References { get; init; }
}
