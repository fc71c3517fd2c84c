using System.Net;
using System.Net.Http.Headers;
using Entrepot.Hosting;
using Entrepot.Storage;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Tail;

/// <summary>The downloads that run in other processes, read over HTTP from the fetcher that has claimed them. Thread-safe.</summary>
internal sealed class RemoteFetches : ILiveFetches, IDisposable
{
    private readonly HttpClient _http;
    private readonly Seldom _warnings;
    private readonly ILogger<RemoteFetches> _log;

    public RemoteFetches(InternalSettings settings, TimeProvider time, ILogger<RemoteFetches> log)
    {
        (_warnings, _log) = (new Seldom(TimeSpan.FromSeconds(10), time), log);
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = SpliceStream.ConnectAsync,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseDrainSize = 64 * 1024,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
    }

    /// <inheritdoc/>
    public ValueTask<ILiveFetch?> FindOrNullAsync(Guid fetchId, long fence, string address, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ILiveFetch?>(Uri.TryCreate(address, UriKind.Absolute, out var owner) ? new RemoteFetch(this, owner, fetchId, fence) : null);

    public void Dispose() => _http.Dispose();

    /// <summary>Asks a fetcher; returns with the headers of its answer.</summary>
    internal Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);

    /// <summary>Says that a fetcher was of no use: of all readers that found one so within ten seconds, the first.</summary>
    internal void Warn(Uri owner, string problem)
    {
        if (_warnings.IsDue()) _log.FetcherUnreadable(owner.GetLeftPart(UriPartial.Authority), problem);
    }
}
