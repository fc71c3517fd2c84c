namespace Entrepot.Metadata;

/// <summary>What is known of a blob, as one repository asks for it.</summary>
public sealed record BlobFacts
{
    /// <summary>The bytes held, or null.</summary>
    public required HeldBlob? Held { get; init; }

    /// <summary>What speaks for this repository serving it.</summary>
    public required Rights Rights { get; init; }

    /// <summary>Bytes, as a manifest of this repository lists it; null when none does.</summary>
    public required long? ListedSize { get; init; }

    /// <summary>Media type, as a manifest of this repository lists it; null when none does.</summary>
    public required string? ListedMediaType { get; init; }

    /// <summary>The upstreams through any of whose repositories the bytes were downloaded: possession, not assertion.</summary>
    public required IReadOnlyList<string> PossessedBy { get; init; }
}
