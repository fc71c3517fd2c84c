using Entrepot.Metadata;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>What lists have in common: one that was received a moment ago is not asked for again.</summary>
internal sealed class HeldList(Holdings holdings, FetchQueue queue)
{
    /// <summary>Ends the fetch of a list that is fresh: its request saw it due while somebody else was asking for it. False when it must be asked for.</summary>
    public async Task<bool> EndIfFreshAsync(RunningFetch fetch, FetchSource source, Upstream upstream, CancellationToken cancellationToken)
    {
        var claim = fetch.Claim;
        var age = await holdings.FindDocumentAgeOrNullAsync(source.Upstream, source.Repository, claim.Kind, claim.Reference, cancellationToken);
        if (age is null || age >= upstream.Tags.TtlOf(claim.Kind)) return false;
        await queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken);
        return true;
    }
}
