using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Metadata;

namespace Entrepot.Fetcher.Work;

/// <summary>Says on the bus what has happened to a fetch; never waits for the broker.</summary>
internal sealed class Announcer(Outbox outbox, FetcherIdentity identity)
{
    public void Started(RunningFetch fetch) =>
        outbox.Publish(new FetchStarted { FetchId = fetch.Id, Fence = fetch.Fence, Address = identity.Address });

    public void Finished(RunningFetch fetch, FetchOutcome outcome) => Finished(fetch, fetch.Claim.Sources[0], outcome);

    public void Finished(RunningFetch fetch, FetchSource source, FetchOutcome outcome) => outbox.Publish(new FetchFinished
    {
        FetchId = fetch.Id,
        Kind = fetch.Claim.Kind.ToString(),
        Upstream = source.Upstream,
        Repository = source.Repository,
        Reference = fetch.Claim.Reference,
        Outcome = outcome.ToString(),
        Fence = fetch.Fence,
    });
}
