using System.IO.Pipelines;

namespace Entrepot.Hosting;

/// <summary>
/// Sends bytes of files as a response's body without copying them through this process. A feature of the request where that is possible:
/// plain HTTP/1.1, on Linux, unless <see cref="PlatformOptions.SendFile"/> is off.
/// </summary>
public interface IFileBodyFeature
{
    /// <summary>Sends the next bytes of the body and completes when the kernel has taken them all.</summary>
    /// <param name="body">The response's BodyWriter. The response has started, with a Content-Length, and nothing unflushed is in it.</param>
    /// <param name="file">Opened for asynchronous use. Its bytes must not change while the response runs.</param>
    /// <param name="offset">Where the bytes begin.</param>
    /// <param name="count">How many bytes; the file has them.</param>
    /// <param name="cancellationToken">Ends the response short: what the kernel has taken is still delivered, and then the connection closes.</param>
    ValueTask<FileSent> SendAsync(PipeWriter body, FileStream file, long offset, int count, CancellationToken cancellationToken);
}

/// <summary>How many bytes the kernel has taken, and whether the client has gone away.</summary>
public readonly record struct FileSent(int Bytes, bool IsGone);
