using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Entrepot.TestSupport.Clients;

/// <summary>Sends exact bytes over a socket and reads one answer: for requests that no HTTP library would send.</summary>
public static class RawHttp
{
    /// <summary>Sends a request of the given lines, joined by CRLF and ended by an empty line.</summary>
    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="lines">The request line and the headers; Host and Connection are not added.</param>
    /// <exception cref="TimeoutException">No whole answer came within 30 s.</exception>
    public static Task<RawResponse> SendAsync(int port, params string[] lines) =>
        SendBytesAsync(port, Encoding.Latin1.GetBytes(string.Join("\r\n", lines) + "\r\n\r\n"), isHead: lines[0].StartsWith("HEAD ", StringComparison.Ordinal));

    /// <summary>Sends these bytes.</summary>
    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="request">All that is sent.</param>
    /// <param name="isHead">The answer has no body whatever its headers say.</param>
    /// <param name="deadline">For the whole exchange; default 30 s.</param>
    /// <exception cref="TimeoutException">No whole answer came in time.</exception>
    public static async Task<RawResponse> SendBytesAsync(int port, ReadOnlyMemory<byte> request, bool isHead = false, TimeSpan? deadline = null)
    {
        using var timeout = new CancellationTokenSource(deadline ?? TimeSpan.FromSeconds(30));
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            await using var stream = new BufferedStream(client.GetStream(), 1 << 16);
            await WriteAsync(stream, request, timeout.Token);
            return await ReadAsync(stream, isHead, timeout.Token);
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw new TimeoutException($"Port {port} did not answer in time to: {Encoding.Latin1.GetString(request.Span[..Math.Min(request.Length, 200)])}");
        }
    }

    /// <summary>Sends these bytes over one connection and reads an answer for each of <paramref name="isHead"/>, as pipelining and keep-alive do.</summary>
    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="request">All requests, one behind the other; sent at once.</param>
    /// <param name="isHead">For each request, whether it is a HEAD.</param>
    /// <returns>The answers in order, and whether the server then closed the connection (asked for 2 s).</returns>
    /// <exception cref="TimeoutException">Not all answers came within 30 s.</exception>
    public static async Task<(IReadOnlyList<RawResponse> Answers, bool Closed)> SendManyAsync(int port, ReadOnlyMemory<byte> request, params bool[] isHead)
    {
        ArgumentNullException.ThrowIfNull(isHead);
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var client = new TcpClient();
        var answers = new List<RawResponse>();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            await using var stream = new BufferedStream(client.GetStream(), 1 << 16);
            await WriteAsync(stream, request, timeout.Token);
            foreach (var head in isHead) answers.Add(await ReadAsync(stream, head, timeout.Token));
            return (answers, await IsClosedAsync(stream));
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested)
        {
            throw new TimeoutException($"Port {port} gave {answers.Count} of {isHead.Length} answers in time.");
        }
    }

    private static async Task<bool> IsClosedAsync(Stream stream)
    {
        using var wait = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        try
        {
            return await ReadSomeAsync(stream, new byte[1], wait.Token) == 0;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static async Task WriteAsync(Stream stream, ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(request, cancellationToken);
            await stream.FlushAsync(cancellationToken);
        }
        catch (IOException)
        {
            // A server that has read enough to refuse closes before it has read all: its answer is there to be read.
        }
    }

    private static async Task<RawResponse> ReadAsync(Stream stream, bool isHead, CancellationToken cancellationToken)
    {
        var statusLine = await LineAsync(stream, cancellationToken);
        if (statusLine is null) return new RawResponse("", [], [], EndedShort: true);
        var headers = new List<KeyValuePair<string, string>>();
        while (await LineAsync(stream, cancellationToken) is { Length: > 0 } line)
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            headers.Add(new(line[..colon], line[(colon + 1)..].Trim()));
        }

        var answer = new RawResponse(statusLine, headers, [], EndedShort: false);
        if (answer.Status is >= 100 and < 200) return await ReadAsync(stream, isHead, cancellationToken);
        if (isHead || answer.Status is 204 or 304) return answer;
        if (answer.Header("Transfer-Encoding") == "chunked") return await ReadChunksAsync(stream, answer, cancellationToken);
        var announced = answer.Header("Content-Length") is { } length ? long.Parse(length, CultureInfo.InvariantCulture) : long.MaxValue;
        var body = await BytesAsync(stream, announced, cancellationToken);
        return answer with { Body = body, EndedShort = announced != long.MaxValue && body.Length < announced };
    }

    private static async Task<RawResponse> ReadChunksAsync(Stream stream, RawResponse answer, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        while (await LineAsync(stream, cancellationToken) is { } line)
        {
            var size = long.Parse(line.Split(';')[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var chunk = await BytesAsync(stream, size, cancellationToken);
            body.Write(chunk);
            if (chunk.Length < size || await LineAsync(stream, cancellationToken) is null) break;
            if (size == 0) return answer with { Body = body.ToArray() };
        }

        return answer with { Body = body.ToArray(), EndedShort = true };
    }

    private static async Task<string?> LineAsync(Stream stream, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await ReadSomeAsync(stream, one, cancellationToken) == 1)
        {
            if (one[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }

        return null;
    }

    private static async Task<byte[]> BytesAsync(Stream stream, long count, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[1 << 16];
        while (bytes.Length < count)
        {
            var read = await ReadSomeAsync(stream, buffer.AsMemory(0, (int)Math.Min(buffer.Length, count - bytes.Length)), cancellationToken);
            if (read == 0) break;
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    private static async Task<int> ReadSomeAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken);
        }
        catch (IOException)
        {
            return 0; // A reset ends the answer as a close does.
        }
    }
}
