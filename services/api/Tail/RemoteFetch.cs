using System.Globalization;
using System.Net;
using Entrepot.Contracts;
using Entrepot.Storage;

namespace Entrepot.Api.Tail;

/// <summary>One claim of a download, at the fetcher that made it. For one response at a time.</summary>
internal sealed class RemoteFetch(HttpClient http, Uri owner, Guid fetchId, long fence) : ILiveFetch
{
    private Task<LiveAnswer?>? _answer;
    private volatile bool _isOwnerSilent;

    /// <inheritdoc/>
    public bool IsOwnerSilent => _isOwnerSilent;

    /// <inheritdoc/>
    public Task<LiveAnswer?> WaitForAnswerAsync(CancellationToken cancellationToken)
    {
        // Whoever looks at the row meanwhile comes back to the question that is out already.
        if (_answer is null or { IsCompleted: true }) _answer = AskAsync(cancellationToken);
        return _answer;
    }

    /// <inheritdoc/>
    public IBlobSource? OpenOrNull(long offset) => new RemoteSource(this);

    /// <summary>Opens the bytes from an offset on; null when the fetcher does not have this claim (any more).</summary>
    public async Task<HttpResponseMessage?> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(owner, InternalRoutes.Content(fetchId, fence)));
        request.Headers.Range = new(offset, null);
        var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        _isOwnerSilent = false;
        if (response.StatusCode == HttpStatusCode.PartialContent) return response;
        response.Dispose();
        return null;
    }

    /// <summary>The fetcher could not be reached, or broke off.</summary>
    public void Broke() => _isOwnerSilent = true;

    private async Task<LiveAnswer?> AskAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(owner, InternalRoutes.Answer(fetchId, fence)));
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            _isOwnerSilent = false;
            if (response.StatusCode != HttpStatusCode.OK) return null;
            var headers = response.Headers;
            return new LiveAnswer(
                headers.GetValues(InternalRoutes.Upstream).First(), headers.GetValues(InternalRoutes.Repository).First(),
                long.Parse(headers.GetValues(InternalRoutes.Size).First(), NumberStyles.None, CultureInfo.InvariantCulture));
        }
        catch (HttpRequestException)
        {
            Broke();
            return null;
        }
    }
}
