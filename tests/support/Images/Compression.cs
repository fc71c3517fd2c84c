namespace Entrepot.TestSupport.Images;

/// <summary>How a layer's tar is packed.</summary>
public enum Compression
{
    /// <summary>tar+gzip, what nearly all images use.</summary>
    Gzip,

    /// <summary>tar+zstd.</summary>
    Zstd,

    /// <summary>A bare tar.</summary>
    None,
}
