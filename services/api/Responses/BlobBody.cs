using System.Globalization;
using System.Text;
using Entrepot.Oci;

namespace Entrepot.Api.Responses;

/// <summary>The bytes of a blob that a response carries: parts in the order asked for, each behind its own header when there are several.</summary>
internal sealed record BlobBody(IReadOnlyList<BodyPart> Parts, byte[]? Trailer, string? Boundary = null)
{
    public static readonly BlobBody None = new([], null);

    /// <summary>The length in bytes of all of it.</summary>
    public long Length => Parts.Sum(p => p.Length + (p.Header?.Length ?? 0)) + (Trailer?.Length ?? 0);

    /// <summary>
    /// One part per range, exactly as requested and never coalesced: containers/image counts them. The boundary is a new one each time: clients search
    /// the bytes for it, and who made the blob must not be able to put it there.
    /// </summary>
    public static BlobBody Multipart(IReadOnlyList<ByteRange> ranges, long size)
    {
        var boundary = $"entrepot-{Guid.NewGuid():N}";
        var first = true;
        var parts = new List<BodyPart>(ranges.Count);
        foreach (var (start, length) in ranges)
        {
            var header = string.Create(CultureInfo.InvariantCulture,
                $"{(first ? "" : "\r\n")}--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {start}-{start + length - 1}/{size}\r\n\r\n");
            parts.Add(new BodyPart(Encoding.ASCII.GetBytes(header), start, length));
            first = false;
        }
        return new BlobBody(parts, Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"), boundary);
    }
}

/// <summary>A stretch of the blob, and what is written before it.</summary>
internal readonly record struct BodyPart(byte[]? Header, long Start, long Length);
