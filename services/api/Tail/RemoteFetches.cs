using System.Net;
using System.Net.Http.Headers;
using Entrepot.Hosting;
using Entrepot.Storage;

namespace Entrepot.Api.Tail;

/// <summary>The downloads that run in other processes, read over HTTP from the fetcher that has claimed them. Thread-safe.</summary>
internal sealed class RemoteFetches : ILiveFetches, IDisposable
{
    private readonly HttpClient _http;

    public RemoteFetches(InternalSettings settings)
    {
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxResponseDrainSize = 64 * 1024,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", settings.Token);
    }

    /// <inheritdoc/>
    public ValueTask<ILiveFetch?> FindOrNullAsync(Guid fetchId, long fence, string address, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ILiveFetch?>(Uri.TryCreate(address, UriKind.Absolute, out var owner) ? new RemoteFetch(_http, owner, fetchId, fence) : null);

    public void Dispose() => _http.Dispose();
}
