using System.Collections.Concurrent;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Upstreams;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// Whether a held tag may be served as it is, and the checks of its upstream when not: waited for a moment, or behind the answer. What could not be
/// confirmed is served stale, except a tag that is gone and has outlived <see cref="UpstreamOptions.TagGoneMaxAge"/>.
/// </summary>
internal sealed class TagFreshness(
    ContentIndex index, FetchGate gate, SilentUpstreams silent, ApiOptions options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<TagFreshness> log)
{
    private readonly ConcurrentDictionary<ContentKey, bool> _checkedBehind = new();

    /// <summary>The tag to serve and what its answer says; or, as <c>Gone</c>, that it is not served any more.</summary>
    public async ValueTask<(TagEntry Tag, Provenance From, FetchFailure? Gone)> ConfirmAsync(PullRequest pull, ContentKey key, TagEntry held)
    {
        // 1 Confirmed within its TTL, or never to be asked for again.
        if (IsFresh(held)) return (held, new Provenance(CacheState.Hit, AgeOf(held)), null);

        // 2 A failed check counts as a check for a while, so that pulls of a broken upstream's tags cost it little and nobody time.
        if (held.FailedCheck is { } failed && time.GetElapsedTime(failed.At) < LastsFor(held, failed.Failure))
            return Unconfirmed(pull.Upstream, held, failed.Failure with { Cache = CacheState.Hit });

        // 3 Its upstream has let somebody wait in vain: nobody waits again until it has answered.
        if (silent.IsSilent(pull.Upstream.Name)) return Unconfirmed(pull.Upstream, held, NoAnswer);

        // 4 Allowed to be a little old: checked behind the answer, which says what the last check said.
        if (AgeOf(held) < held.Policy.Ttl + pull.Upstream.Options.StaleWhileRevalidate)
        {
            CheckBehind(pull.Upstream, key, held);
            return held.FailedCheck is { } last ? Unconfirmed(pull.Upstream, held, last.Failure) : (held, new Provenance(CacheState.Stale, AgeOf(held)), null);
        }

        // 5 Ask, and wait a moment.
        var (now, cache, failure) = await CheckAsync(pull.Upstream, key, held, options.StaleAfter, pull.Aborted);
        return failure is null ? (now, new Provenance(cache, AgeOf(now)), null) : Unconfirmed(pull.Upstream, now, failure);
    }

    private static FetchFailure NoAnswer { get; } = new(FetchOutcome.Unavailable, "the upstream did not answer in time", TimeSpan.FromSeconds(5), CacheState.Miss);

    private bool IsFresh(TagEntry tag) => tag.IsFresh(AgeOf(tag));

    private TimeSpan AgeOf(TagEntry tag) => time.GetElapsedTime(tag.CheckedAt);

    private TimeSpan LastsFor(TagEntry tag, FetchFailure failure) => failure.Outcome == FetchOutcome.NotFound ? tag.Policy.NotFoundTtl : options.FailedCheckLasts;

    /// <summary>What is gone stays gone, also while its upstream can't be asked: only a check that finds it ends that.</summary>
    private (TagEntry, Provenance, FetchFailure?) Unconfirmed(Upstream upstream, TagEntry held, FetchFailure failure)
    {
        var isGone = held.IsGone && (upstream.Options.TagGone == TagGone.NotFound || AgeOf(held) >= upstream.Options.TagGoneMaxAge);
        if (!isGone) return (held, Provenance.Unconfirmed(AgeOf(held), failure), null);
        var gone = failure.Outcome == FetchOutcome.NotFound ? failure : failure with { Outcome = FetchOutcome.NotFound, Message = "the tag is gone from its upstream" };
        return (held, default, gone);
    }

    /// <summary>Starts a check for all who ask for this tag now; nobody waits for it.</summary>
    private void CheckBehind(Upstream upstream, ContentKey key, TagEntry held)
    {
        if (_checkedBehind.TryAdd(key, true)) _ = RunAsync();

        async Task RunAsync()
        {
            try
            {
                await CheckAsync(upstream, key, held, options.HeaderTimeout, lifetime.ApplicationStopping);
            }
            catch (Exception e)
            {
                log.CheckBroke(key.Upstream, key.Repository, key.Reference, e);
            }
            finally
            {
                _checkedBehind.TryRemove(key, out _);
            }
        }
    }

    /// <summary>Asks the upstream, together with all replicas that ask now. A failure is remembered with the tag.</summary>
    private async Task<(TagEntry Tag, CacheState Cache, FetchFailure? Failure)> CheckAsync(
        Upstream upstream, ContentKey key, TagEntry held, TimeSpan patience, CancellationToken cancellationToken)
    {
        FetchFailure failure;
        try
        {
            // It was due and is not now: somebody, another replica perhaps, has been answered.
            held = await index.ReloadTagAsync(key, cancellationToken) ?? held;
            if (IsFresh(held))
            {
                silent.Remove(upstream.Name);
                return (held, CacheState.Hit, null);
            }
            var (ticket, refused) = await gate.JoinAsync(FetchKind.Tag, upstream, key.Repository, key.Reference, null, false, cancellationToken);
            using (ticket)
            {
                if (ticket is not null && !await ticket.WaitUntilSettledAsync(patience, cancellationToken))
                {
                    if (ticket.IsRunning) silent.Add(upstream.Name, stopping => CheckAsync(upstream, key, held, options.HeaderTimeout, stopping));
                    failure = NoAnswer;
                }
                else if ((refused ?? ticket!.Failure()) is { } settled)
                {
                    failure = settled;
                    if (refused is null && settled.Outcome != FetchOutcome.Unavailable) silent.Remove(upstream.Name);
                }
                else if (await index.ReloadTagAsync(key, cancellationToken) is { } now)
                {
                    silent.Remove(upstream.Name);
                    return (now, now.Digest == held.Digest ? CacheState.Hit : ticket!.Cache, null);
                }
                else
                {
                    failure = NoAnswer;
                }
            }
        }
        catch (DatabaseUnavailableException e)
        {
            failure = NoAnswer with { Message = e.Message };
        }
        held.FailedCheck = new FailedCheck(time.GetTimestamp(), failure);
        if (failure.Outcome == FetchOutcome.NotFound) held.IsGone = true;
        log.ServedStale(key.Upstream, key.Repository, key.Reference, failure.Message);
        return (held, CacheState.Stale, failure);
    }
}
