namespace Entrepot.Oci;

/// <summary>Bytes <c>Start</c> to <c>End</c> of content whose size is known; never empty.</summary>
/// <param name="Start">The offset of the first byte.</param>
/// <param name="Length">How many bytes; at least 1.</param>
public readonly record struct ByteRange(long Start, long Length)
{
    /// <summary>The offset of the last byte, as Content-Range writes it.</summary>
    public long End => Start + Length - 1;
}
