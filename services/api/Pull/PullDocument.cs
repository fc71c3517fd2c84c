using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>Lists that an upstream keeps and we hold a copy of: the tags of a repository, the referrers of a digest. Fresh for a short while, then asked for again, then stale.</summary>
internal sealed class PullDocument(DocumentIndex index, FetchGate gate, SilentUpstreams silent, ApiOptions options, TimeProvider time, ILogger<PullDocument> log)
{
    /// <summary>The document and where it came from; or why there is none.</summary>
    public async Task<(DocumentEntry? Document, Provenance From, FetchFailure? Failure)> FindAsync(PullRequest pull, FetchKind kind, string reference)
    {
        // 1 What is held and fresh.
        var key = new DocumentKey(new ContentKey(pull.Upstream.Name, pull.Repository, reference), kind);
        var held = await index.FindOrNullAsync(key, pull.Aborted);
        if (held is not null && AgeOf(held) < pull.Upstream.Tags.TtlOf(kind)) return (held, new Provenance(CacheState.Hit, AgeOf(held)), null);

        // 2 A failed check counts as a check for a while. Of an upstream that let somebody wait in vain, nobody waits again.
        if (held?.FailedCheck is { } failed && time.GetElapsedTime(failed.At) < options.FailedCheckLasts)
            return (held, Provenance.Unconfirmed(AgeOf(held), failed.Failure), null);
        if (held is not null && silent.IsSilent(pull.Upstream.Name)) return (held, Provenance.Unconfirmed(AgeOf(held), NoAnswer), null);

        // 3 Ask the upstream: what is held waits a moment for it, what is not as long as a client may wait for headers.
        var (ticket, refused) = await gate.JoinAsync(kind, pull.Upstream, pull.Repository, reference, null, false, pull.Aborted);
        using (ticket)
        {
            var left = held is not null ? options.StaleAfter : options.HeaderTimeout - time.GetElapsedTime(pull.StartedAt);
            if (ticket is not null) await ticket.WaitUntilSettledAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, pull.Aborted);
            if (ticket is { IsDone: true } && await index.ReloadAsync(key, pull.Aborted) is { } now) return (now, new Provenance(ticket.Cache, AgeOf(now)), null);

            // 4 Else what is held, stale. That a list takes long says nothing of the upstream: it may have many pages.
            var failure = refused ?? ticket!.Failure() ?? NoAnswer with { Cache = ticket!.Cache };
            if (held is null || failure.Outcome == FetchOutcome.NotFound) return (null, new Provenance(failure.Cache), failure);
            held.FailedCheck = new FailedCheck(time.GetTimestamp(), failure);
            log.ListServedStale(kind, pull.Upstream.Name, pull.Repository, failure.Message);
            return (held, Provenance.Unconfirmed(AgeOf(held), failure), null);
        }
    }

    private static FetchFailure NoAnswer { get; } = new(FetchOutcome.Unavailable, "the upstream did not answer in time", TimeSpan.FromSeconds(5), CacheState.Miss);

    private TimeSpan AgeOf(DocumentEntry document) => time.GetElapsedTime(document.CheckedAt);
}
