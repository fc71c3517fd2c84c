using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// Reads anything over plain HTTP, hashing every byte and keeping none, each time over a connection of its own. An answer that ends
/// too early is a result, not an exception. Safe to use from several threads.
/// </summary>
public static class BlobReader
{
    private const int Chunk = 128 * 1024;
    private const int LongestErrorText = 64 * 1024;

    // Twice as long as a body of Entrepot's may stand still.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromMinutes(2);

    /// <summary>Reads a blob.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="repository">For example <c>library/small</c>.</param>
    /// <param name="digest"><c>sha256:…</c>.</param>
    /// <param name="options">How to read it.</param>
    /// <param name="cancellationToken">Gives the reading up.</param>
    public static Task<BlobRead> ReadBlobAsync(Uri mirrorUrl, string repository, string digest, BlobReadOptions? options = null, CancellationToken cancellationToken = default) =>
        ReadAsync(new Uri(mirrorUrl, $"/v2/{repository}/blobs/{digest}"), options, cancellationToken);

    /// <summary>Reads a blob, as a client that takes anything but its bytes for an error.</summary>
    /// <returns>What was read, if there was an answer, and what was wrong with it, or null. Which bytes they are is not looked at.</returns>
    public static async Task<(BlobRead? Read, string? Error)> TryReadBlobAsync(Uri mirrorUrl, string repository, string digest, CancellationToken cancellationToken = default)
    {
        try
        {
            var read = await ReadBlobAsync(mirrorUrl, repository, digest, cancellationToken: cancellationToken);
            return (read, read is { Status: 200, Completed: true } ? null : $"{read.Status}, {read.BytesRead} bytes, {read.End}: {read.ErrorText}");
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException)
        {
            return (null, e.Message);
        }
    }

    /// <summary>Reads a manifest, accepting every type.</summary>
    /// <inheritdoc cref="ReadBlobAsync"/>
    public static Task<BlobRead> ReadManifestAsync(Uri mirrorUrl, string repository, string reference, BlobReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new BlobReadOptions();
        var headers = new Dictionary<string, string>(options.Headers);
        headers.TryAdd("Accept", MediaTypes.AcceptAll);
        return ReadAsync(new Uri(mirrorUrl, $"/v2/{repository}/manifests/{reference}"), options with { Headers = headers }, cancellationToken);
    }

    /// <summary>Reads any URL. Redirects are not followed.</summary>
    /// <exception cref="HttpRequestException">No answer came: refused, or closed before the headers.</exception>
    /// <exception cref="TimeoutException">Nothing came for two minutes.</exception>
    public static async Task<BlobRead> ReadAsync(Uri url, BlobReadOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new BlobReadOptions();
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            return await ReadAsync(url, options, silence, cancellationToken);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{options.Method} {url}: nothing came for {LongestSilence.TotalMinutes} minutes.", e);
        }
    }

    private static async Task<BlobRead> ReadAsync(Uri url, BlobReadOptions options, CancellationTokenSource silence, CancellationToken cancellationToken)
    {
        using var client = NewClient(options);
        using var request = new HttpRequestMessage(options.Method, url);
        if (options.Range is { } range) request.Headers.TryAddWithoutValidation("Range", range);
        foreach (var (name, value) in options.Headers) request.Headers.TryAddWithoutValidation(name, value);
        var started = TestClock.Now;
        silence.CancelAfter(LongestSilence);
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token);
        var headersAt = TestClock.Now;
        var isError = (int)answer.StatusCode >= 400;

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        var pace = new Pace(options.BytesPerSecond);
        var end = BodyEnd.Whole;
        var errorText = new StringBuilder();
        long read = 0;
        TimeSpan? firstByteAt = null;
        var lastByteAt = headersAt;
        var longestPause = TimeSpan.Zero;
        var pauses = new List<(TimeSpan Began, TimeSpan Ended)>();
        try
        {
            await using var body = await answer.Content.ReadAsStreamAsync(silence.Token);
            while (read < options.StopAfter)
            {
                var most = Math.Min(Math.Min(Chunk, pace.Step), options.StopAfter - read);
                silence.CancelAfter(LongestSilence);
                var count = await body.ReadAsync(buffer.AsMemory(0, (int)most), silence.Token);
                if (count == 0) break;
                var now = TestClock.Now;
                if (firstByteAt is not null && now - lastByteAt > longestPause) longestPause = now - lastByteAt;
                if (firstByteAt is not null && now - lastByteAt > BlobRead.ShortestPause) pauses.Add((lastByteAt, now));
                firstByteAt ??= now;
                lastByteAt = now;
                hash.AppendData(buffer, 0, count);
                read += count;
                options.OnBytes?.Invoke(read);
                if (isError && read <= LongestErrorText) errorText.Append(Encoding.UTF8.GetString(buffer, 0, count));
                await pace.WaitAsync(read, cancellationToken);
            }

            if (read >= options.StopAfter) end = BodyEnd.GivenUp;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            end = BodyEnd.GivenUp;
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            end = IsReset(e) ? BodyEnd.Reset : BodyEnd.Early;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return new BlobRead
        {
            Status = (int)answer.StatusCode,
            Headers = Headers(answer),
            Digest = "sha256:" + Convert.ToHexStringLower(hash.GetCurrentHash()),
            BytesRead = read,
            End = end,
            StartedAt = started,
            HeadersAt = headersAt,
            FirstByteAt = firstByteAt,
            FinishedAt = TestClock.Now,
            LongestPause = longestPause,
            Pauses = pauses,
            ErrorText = errorText.ToString(),
        };
    }

    private static HttpClient NewClient(BlobReadOptions options) => new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            MaxResponseDrainSize = 0,
            ConnectCallback = async (context, cancellationToken) =>
            {
                var socket = options.From is { } from ? new Socket(from.AddressFamily, SocketType.Stream, ProtocolType.Tcp) : new Socket(SocketType.Stream, ProtocolType.Tcp);
                socket.NoDelay = true;

                // The kernel would take megabytes ahead of a slow reader, and the server would not notice that it is slow.
                if (options.BytesPerSecond is not null) socket.ReceiveBufferSize = 64 * 1024;
                try
                {
                    if (options.From is not null) socket.Bind(new IPEndPoint(options.From, 0));
                    await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private static bool IsReset(Exception e)
    {
        for (var inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is SocketException { SocketErrorCode: SocketError.ConnectionReset }) return true;
        }

        return false;
    }

    private static Dictionary<string, string> Headers(HttpResponseMessage answer) =>
        answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated)
            .GroupBy(header => header.Key, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => string.Join(", ", group.SelectMany(header => header.Value)), StringComparer.OrdinalIgnoreCase);
}
