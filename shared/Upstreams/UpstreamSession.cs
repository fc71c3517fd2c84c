using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Entrepot.Contracts;

namespace Entrepot.Upstreams;

/// <summary>What is kept per upstream between requests: connections, slots, tokens, challenges, the quota last seen. Thread-safe.</summary>
internal sealed class UpstreamSession : IDisposable
{
    private static readonly string[] ProxyVariables =
        ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

    private readonly HttpMessageInvoker _http;
    private readonly TimeProvider _time;
    private volatile UpstreamQuota? _quota;

    public UpstreamSession(Upstream upstream, UpstreamMetrics metrics, TimeProvider time)
    {
        Upstream = upstream;
        _time = time;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            // Redirects by hand: the handler would forward what must not cross hosts and drop what must stay.
            AllowAutoRedirect = false,
            // Digests are over the bytes of the wire.
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = !upstream.Url.IsLoopback && ProxyVariables.Any(name => !string.IsNullOrEmpty(Environment.GetEnvironmentVariable(name))),
            ConnectCallback = static (context, cancellationToken) => ConnectAsync(context.DnsEndPoint, cancellationToken),
            ConnectTimeout = upstream.Options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            // A body that is given up is not worth reading to its end to save a connection.
            MaxResponseDrainSize = 64 * 1024,
            // Our trace ids are nobody else's business; the client spans stay.
            ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),
        });
        Slots = new RequestSlots(upstream.Options.MaxConcurrentRequests);
        Tokens = new TokenStore(this, metrics, time);
    }

    /// <summary>As the handler does it by itself, and with a <see cref="PoolStream"/> about the socket.</summary>
    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint host, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(host, cancellationToken);
            return new PoolStream(new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            await Task.Yield();
        }
    }

    public Upstream Upstream { get; }

    public RequestSlots Slots { get; }

    public TokenStore Tokens { get; }

    public ChallengeMemory Challenges { get; } = new();

    public UpstreamQuota? Quota => _quota;

    /// <summary>The response with its headers read, within the connect and header timeouts; or why there is none.</summary>
    public async Task<Attempt<HttpResponseMessage>> SendAsync(HttpRequestMessage request, string subject, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Upstream.Options.HeaderTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var host = request.RequestUri!.Authority;
        try
        {
            return await _http.SendAsync(request, either.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            // Asking again would double a wait that was long already.
            return Unavailable($"{host} sent no response headers for {subject} within {Seconds(Upstream.Options.HeaderTimeout)}");
        }
        catch (OperationCanceledException)
        {
            return Transient($"{host} accepted no connection for {subject} within {Seconds(Upstream.Options.ConnectTimeout)}");
        }
        catch (HttpRequestException exception)
        {
            return exception.HttpRequestError switch
            {
                HttpRequestError.NameResolutionError => Transient($"the host name of {host} could not be resolved for {subject}"),
                HttpRequestError.SecureConnectionError => Unavailable($"TLS with {host} failed for {subject}: {exception.InnerException?.Message ?? exception.Message}"),
                HttpRequestError.ConnectionError => Transient($"{host} could not be reached for {subject} ({SocketErrorOf(exception)})"),
                HttpRequestError.ResponseEnded => Transient($"{host} closed the connection without an answer for {subject}"),
                HttpRequestError.ConfigurationLimitExceeded => Unavailable($"{host} sent response headers over the limit for {subject}"),
                var error => Transient($"{host} gave no usable answer for {subject} ({error})"),
            };
        }
    }

    /// <summary>Takes note of the pull limit in a response of the registry itself.</summary>
    public void NoteQuota(HttpResponseMessage response)
    {
        if (ReadLimit(response, "ratelimit-remaining") is not { } remaining)
            return;
        var limit = ReadLimit(response, "ratelimit-limit");
        _quota = new UpstreamQuota(limit?.Count, remaining.Count, limit?.Window ?? remaining.Window, _time.GetUtcNow());
    }

    public void Dispose() => _http.Dispose();

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.###} s");

    private static string SocketErrorOf(HttpRequestException exception) =>
        exception.InnerException is SocketException socket ? socket.SocketErrorCode.ToString() : "connection failed";

    /// <summary>Docker Hub writes <c>76;w=21600</c>, and sometimes <c>;w=21600</c> for an unlimited account.</summary>
    private static (long Count, TimeSpan? Window)? ReadLimit(HttpResponseMessage response, string header)
    {
        if (!response.Headers.TryGetValues(header, out var values))
            return null;

        var parts = values.First().Split(';', StringSplitOptions.TrimEntries);
        if (!long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;

        var window = parts.Skip(1).FirstOrDefault(part => part.StartsWith("w=", StringComparison.OrdinalIgnoreCase));
        return int.TryParse(window?[2..], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? (count, TimeSpan.FromSeconds(seconds))
            : (count, null);
    }

    private Attempt<HttpResponseMessage> Transient(string what) => Unavailable(what) with { IsTransient = true };

    private Attempt<HttpResponseMessage> Unavailable(string what) =>
        new UpstreamFailure(FetchOutcome.Unavailable, $"Upstream {Upstream.Name}: {what}.");
}
