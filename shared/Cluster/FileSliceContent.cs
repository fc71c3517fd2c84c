using System.Buffers;
using System.Net;
using Microsoft.Win32.SafeHandles;

namespace Entrepot.Cluster;

/// <summary>A stretch of an open file as the body of a request.</summary>
internal sealed class FileSliceContent(SafeFileHandle file, long start, long count) : HttpContent
{
    private const int BufferBytes = 256 * 1024;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (var offset = start; offset < start + count;)
            {
                // It was written a moment ago: the page cache answers.
                var read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, start + count - offset)), offset);
                if (read == 0) throw new EndOfStreamException("The spool is shorter than what was verified.");
                await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                offset += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }
}
