using System.Globalization;
using System.Net;
using Entrepot.Contracts;
using Entrepot.Storage;

namespace Entrepot.Api.Tail;

/// <summary>One claim of a download, at the fetcher that made it. For one response at a time.</summary>
internal sealed class RemoteFetch(RemoteFetches fetches, Uri owner, Guid fetchId, long fence) : ILiveFetch
{
    private Task<LiveAnswer?>? _answer;
    private volatile bool _isOwnerSilent, _isUnknown;

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
    public IBlobSource? OpenOrNull(long offset) => _isUnknown ? null : new RemoteSource(this);

    /// <summary>Opens the bytes from an offset on; null when the fetcher does not have this claim (any more).</summary>
    public async Task<HttpResponseMessage?> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(owner, InternalRoutes.Content(fetchId, fence)));
        request.Headers.Range = new(offset, null);
        var response = await fetches.SendAsync(request, cancellationToken);
        if (Has(response, HttpStatusCode.PartialContent)) return response;
        response.Dispose();
        return null;
    }

    /// <summary>The fetcher could not be reached, or broke off, or answers as no fetcher of ours does.</summary>
    public void Broke(string problem)
    {
        _isOwnerSilent = true;
        fetches.Warn(owner, problem);
    }

    private async Task<LiveAnswer?> AskAsync(CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(owner, InternalRoutes.Answer(fetchId, fence)));
        try
        {
            using var response = await fetches.SendAsync(request, cancellationToken);
            if (!Has(response, HttpStatusCode.OK)) return null;
            if (ValueOf(response, InternalRoutes.Upstream) is { } upstream && ValueOf(response, InternalRoutes.Repository) is { } repository
                && long.TryParse(ValueOf(response, InternalRoutes.Size), NumberStyles.None, CultureInfo.InvariantCulture, out var size))
                return new LiveAnswer(upstream, repository, size);
            Broke("something else than a fetcher answers there");
            return null;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            Broke(e.Message);
            return null;
        }
    }

    /// <summary>Whether the fetcher has this claim. 404 is its word that it has not; anything unexpected says no more than silence.</summary>
    private bool Has(HttpResponseMessage response, HttpStatusCode expected)
    {
        (_isOwnerSilent, _isUnknown) = (false, response.StatusCode == HttpStatusCode.NotFound);
        if (response.StatusCode == expected) return true;
        if (response.StatusCode == HttpStatusCode.Unauthorized) Broke("it answers 401: its Internal:Token is another than ours");
        else if (!_isUnknown) Broke($"it answers {(int)response.StatusCode}");
        return false;
    }

    private static string? ValueOf(HttpResponseMessage response, string header) => response.Headers.TryGetValues(header, out var values) ? values.First() : null;
}
