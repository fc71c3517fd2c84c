using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>Lists that an upstream keeps and we hold a copy of: the tags of a repository, the referrers of a digest. Fresh for the upstream's tag TTL, then asked for again, then stale.</summary>
internal sealed class PullDocument(Holdings holdings, FetchGate gate, ApiOptions options, TimeProvider time, ILogger<PullDocument> log)
{
    /// <summary>The document and where it came from; or why there is none.</summary>
    public async Task<(DocumentFacts? Document, CacheState Cache, FetchFailure? Failure)> FindAsync(PullRequest pull, FetchKind kind, string reference)
    {
        // 1 What is held and fresh.
        var held = await holdings.FindDocumentOrNullAsync(pull.Upstream.Name, pull.Repository, kind, reference, pull.Aborted);
        if (held is not null && held.Age < pull.Upstream.Options.TagTtl) return (held, CacheState.Hit, null);

        // 2 Ask the upstream: what is held waits a moment for it, what is not as long as a client may wait for headers.
        var (ticket, refused) = await gate.JoinAsync(kind, pull.Upstream, pull.Repository, reference, null, false, pull.Aborted);
        using (ticket)
        {
            var left = held is not null ? options.StaleAfter : options.HeaderTimeout - time.GetElapsedTime(pull.StartedAt);
            var settled = ticket is not null && await ticket.WaitUntilSettledAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, pull.Aborted);
            if (ticket is { IsDone: true } && await holdings.FindDocumentOrNullAsync(pull.Upstream.Name, pull.Repository, kind, reference, pull.Aborted) is { } now)
                return (now, ticket.Inserted ? CacheState.Miss : CacheState.Coalesced, null);
            var failure = refused ?? ticket?.Failure() ?? new FetchFailure(FetchOutcome.Unavailable, settled ? "the upstream gave no list" : "the upstream did not answer in time", TimeSpan.FromSeconds(5));

            // 3 Else what is held, stale.
            if (held is null || failure.Outcome == FetchOutcome.NotFound) return (null, CacheState.Miss, failure);
            log.ListServedStale(kind, pull.Upstream.Name, pull.Repository, failure.Message);
            return (held, CacheState.Stale, null);
        }
    }
}
