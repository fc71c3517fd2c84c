namespace Entrepot.Oci;

/// <summary>What a manifest says about content it refers to. Source: OCI image-spec v1.1, descriptor.md.</summary>
public sealed record Descriptor
{
    /// <summary>The <see cref="Size"/> of content whose manifest does not say it (Docker schema 1).</summary>
    public const long UnknownSize = -1;

    /// <summary>The content's media type as written; <c>application/octet-stream</c> when it is missing.</summary>
    public required string MediaType { get; init; }

    /// <summary>The content's digest.</summary>
    public required Digest Digest { get; init; }

    /// <summary>The content's size in bytes, or <see cref="UnknownSize"/>. A claim: only the digest proves content.</summary>
    public required long Size { get; init; }

    /// <summary>The type of the artifact the descriptor points to, if said.</summary>
    public string? ArtifactType { get; init; }

    /// <summary>The platform as <c>os/architecture</c> or <c>os/architecture/variant</c>, if said; a missing half reads <c>unknown</c>.</summary>
    public string? Platform { get; init; }

    /// <summary>The descriptor's annotations, or null when it has none.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}
