using System.Buffers.Binary;

namespace Entrepot.TestSupport.Images;

/// <summary>Writes zstd frames of raw blocks: valid for every reader, without a compressor. Source: RFC 8878, 3.1.1.</summary>
internal static class StoredZstd
{
    private const uint Magic = 0xFD2FB528;
    private const byte SingleSegmentWith8ByteSize = 0b1110_0000;
    private const int LargestBlock = 128 * 1024;

    public static byte[] Pack(ReadOnlySpan<byte> raw)
    {
        using var frame = new MemoryStream(raw.Length + 64);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
        header[4] = SingleSegmentWith8ByteSize;
        BinaryPrimitives.WriteInt64LittleEndian(header[5..], raw.Length);
        frame.Write(header);
        Span<byte> block = stackalloc byte[4];
        do
        {
            var size = Math.Min(raw.Length, LargestBlock);
            var isLast = size == raw.Length ? 1 : 0;
            BinaryPrimitives.WriteInt32LittleEndian(block, (size << 3) | isLast); // block type 0: raw
            frame.Write(block[..3]);
            frame.Write(raw[..size]);
            raw = raw[size..];
        }
        while (!raw.IsEmpty);
        return frame.ToArray();
    }
}
