using System.IO.Pipelines;

namespace Entrepot.Hosting;

/// <summary>
/// Sends a response's body without copying it through this process: bytes of files, and what has come over another connection. A feature of
/// the request where that is possible: plain HTTP/1.1, on Linux, unless <see cref="PlatformOptions.SendFile"/> is off.
/// </summary>
public interface IDirectBodyFeature
{
    /// <summary>Sends the next bytes of the body out of a file and completes when the kernel has taken them all.</summary>
    /// <param name="body">The response's BodyWriter. The response has started, with a Content-Length, and nothing unflushed is in it.</param>
    /// <param name="file">Opened for asynchronous use. Its bytes must not change while the response runs.</param>
    /// <param name="offset">Where the bytes begin.</param>
    /// <param name="count">How many bytes; the file has them.</param>
    /// <param name="cancellationToken">Ends the response short: what the kernel has taken is still delivered, and then the connection closes.</param>
    ValueTask<BodySent> SendAsync(PipeWriter body, FileStream file, long offset, int count, CancellationToken cancellationToken);

    /// <summary>Sends the next bytes of the body out of a buffer and completes when the kernel has taken them all, or the client has gone away.</summary>
    /// <param name="body">As above.</param>
    /// <param name="buffer">What was read last into its memory, from the beginning of it.</param>
    /// <param name="count">How many bytes were read.</param>
    /// <param name="cancellationToken">As above.</param>
    ValueTask<BodySent> SendAsync(PipeWriter body, KernelBuffer buffer, int count, CancellationToken cancellationToken);
}

/// <summary>How many bytes the kernel has taken, and whether the client has gone away.</summary>
public readonly record struct BodySent(int Bytes, bool IsGone);
