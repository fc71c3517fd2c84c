using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>Lists that an upstream keeps and we hold a copy of: the tags of a repository, the referrers of a digest. Fresh for a short while, then asked for again, then stale.</summary>
internal sealed class PullDocument(
    Holdings holdings, FetchGate gate, SilentUpstreams silent, ApiOptions options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<PullDocument> log)
{
    private static readonly TimeSpan LongestTtl = TimeSpan.FromMinutes(1);

    /// <summary>The document and where it came from; or why there is none.</summary>
    public async Task<(DocumentFacts? Document, Provenance From, FetchFailure? Failure)> FindAsync(PullRequest pull, FetchKind kind, string reference)
    {
        // 1 What is held and fresh. New tags and signatures are looked for in lists, so they are never held long.
        var held = await holdings.FindDocumentOrNullAsync(pull.Upstream.Name, pull.Repository, kind, reference, pull.Aborted);
        var ttl = kind == FetchKind.Referrers ? pull.Upstream.Tags.Signatures.Ttl : pull.Upstream.Options.TagTtl;
        if (held is not null && held.Age < (ttl < LongestTtl ? ttl : LongestTtl)) return (held, new Provenance(CacheState.Hit, held.Age), null);

        // 2 Held, and its upstream has let somebody wait in vain: nobody waits again until it has answered.
        if (held is not null && silent.IsSilent(pull.Upstream.Name))
        {
            if (silent.TryProbe(pull.Upstream.Name)) _ = ProbeAsync(pull, kind, reference);
            return (held, Provenance.Unconfirmed(held.Age, NoAnswer), null);
        }

        // 3 Ask the upstream: what is held waits a moment for it, what is not as long as a client may wait for headers.
        var (ticket, refused) = await gate.JoinAsync(kind, pull.Upstream, pull.Repository, reference, null, false, pull.Aborted);
        using (ticket)
        {
            var left = held is not null ? options.StaleAfter : options.HeaderTimeout - time.GetElapsedTime(pull.StartedAt);
            var settled = refused is not null || await ticket!.WaitUntilSettledAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, pull.Aborted);
            if (!settled) silent.Add(pull.Upstream.Name);
            if (ticket is { IsDone: true } && await holdings.FindDocumentOrNullAsync(pull.Upstream.Name, pull.Repository, kind, reference, pull.Aborted) is { } now)
                return (now, new Provenance(ticket.Cache, now.Age), null);
            var failure = refused ?? ticket!.Failure() ?? NoAnswer;

            // 4 Else what is held, stale.
            if (held is null || failure.Outcome == FetchOutcome.NotFound) return (null, new Provenance(failure.Cache), failure);
            log.ListServedStale(kind, pull.Upstream.Name, pull.Repository, failure.Message);
            return (held, Provenance.Unconfirmed(held.Age, failure), null);
        }
    }

    private static FetchFailure NoAnswer { get; } = new(FetchOutcome.Unavailable, "the upstream did not answer in time", TimeSpan.FromSeconds(5), CacheState.Miss);

    /// <summary>Asks behind the answer whether the upstream is there again.</summary>
    private async Task ProbeAsync(PullRequest pull, FetchKind kind, string reference)
    {
        try
        {
            var (ticket, _) = await gate.JoinAsync(kind, pull.Upstream, pull.Repository, reference, null, false, lifetime.ApplicationStopping);
            using (ticket)
            {
                if (ticket is not null) await ticket.WaitUntilSettledAsync(options.HeaderTimeout, lifetime.ApplicationStopping);
            }
        }
        catch (Exception e)
        {
            log.ListServedStale(kind, pull.Upstream.Name, pull.Repository, e.Message);
        }
    }
}
