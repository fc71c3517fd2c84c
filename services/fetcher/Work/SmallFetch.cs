using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>What the fetches of one round trip share: their one source, its outcome on the row, and the announcement.</summary>
internal sealed class SmallFetch(UpstreamCatalog catalog, FetchQueue queue, Announcer announcer, FetcherMetrics metrics, ILogger<SmallFetch> log)
{
    /// <summary>Runs <paramref name="ask"/> and settles the row. <paramref name="ask"/> commits what it found and returns null, or returns why it could not.</summary>
    public async Task RunAsync(RunningFetch fetch, Func<FetchSource, Upstream, Task<UpstreamFailure?>> ask, CancellationToken cancellationToken)
    {
        CrashPoint.Reached(11); // claimed
        var source = fetch.Claim.Sources[0];
        var upstream = catalog.Find(source.Upstream);
        var failure = upstream is not null
            ? await ask(source, upstream)
            : new UpstreamFailure(FetchOutcome.Denied, $"upstream {source.Upstream} is not configured any more");
        if (failure is not null)
        {
            log.SourceFailed(fetch.Claim.Reference, source.Upstream, source.Repository, failure.Outcome, failure.Message);
            log.IfLimited(fetch.Claim.Reference, source.Upstream, source.Repository, failure);
            metrics.Failed(source.Upstream, failure.Outcome);
            await queue.SettleSourceAsync(
                fetch.Id, fetch.Fence, source.Upstream, source.Repository, failure.Outcome, failure.Message, upstream?.StandsFor(failure, fetch.Claim.Reference), cancellationToken);
        }
        CrashPoint.Reached(12); // settled
        announcer.Finished(fetch, source, failure?.Outcome ?? FetchOutcome.Stored);
    }
}
