namespace Entrepot.TestSupport.Images;

/// <summary>One layer of an image.</summary>
/// <param name="Content">The compressed bytes, as a registry holds them.</param>
/// <param name="DiffId">The digest of the uncompressed tar.</param>
/// <param name="Compression">How it is compressed.</param>
public sealed record Layer(Content Content, string DiffId, Compression Compression)
{
    /// <summary>The digest of the compressed bytes.</summary>
    public string Digest => Content.Digest;

    /// <summary>The number of compressed bytes.</summary>
    public long Size => Content.Size;
}
