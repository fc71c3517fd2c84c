using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Oci;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>A pull of a manifest, by tag or by digest, from top to bottom.</summary>
internal sealed class PullManifest(ContentIndex index, FetchGate gate, Access.AccessRecorder access, QueueMeter queue, ApiOptions options, ApiMetrics metrics, TimeProvider time, ILogger<PullManifest> log)
{
    /// <summary>By digest: what is held and may be served is served, and never asked for again; else it is fetched.</summary>
    public async Task ByDigestAsync(PullRequest pull, Digest digest)
    {
        // 1 Look up.
        var key = new ContentKey(pull.Upstream.Name, pull.Repository, digest.ToString());
        if (await index.FindManifestOrNullAsync(key, pull.Aborted) is { } held)
        {
            await RespondAsync(pull, held, CacheState.Hit, null);
            return;
        }

        // 2 Fetch, and answer with what came.
        var (manifest, cache) = await FetchAsync(pull, key);
        if (manifest is not null) await RespondAsync(pull, manifest, cache, null);
    }

    /// <summary>By tag: within its TTL as held; then the upstream is asked, and a tag that is held waits for that only a moment.</summary>
    public async Task ByTagAsync(PullRequest pull, string tag)
    {
        var key = new ContentKey(pull.Upstream.Name, pull.Repository, tag);
        var cache = CacheState.Hit;

        // 1 What does the tag point to?
        var entry = await index.FindTagOrNullAsync(key, pull.Aborted);

        // 2 Not held: the upstream must say.
        if (entry is null)
        {
            using var ticket = await JoinAsync(pull, FetchKind.Tag, key);
            if (ticket is null || !await SettledAsync(pull, ticket, key)) return;
            cache = ticket.Inserted ? CacheState.Miss : CacheState.Coalesced;
            entry = await index.ReloadTagAsync(key, pull.Aborted);
            if (entry is null)
            {
                await OciErrorResult.WriteStillFetchingAsync(pull.Http, $"{pull.Repository}:{tag}", TimeSpan.FromSeconds(1));
                return;
            }
        }

        // 3 Held and due: revalidate, waiting no longer than a moment.
        else if (!IsFresh(pull, entry))
        {
            (entry, cache) = CheckFailedLately(entry) ? (entry, CacheState.Stale) : await RevalidateAsync(pull, key, entry);
        }

        // 4 The manifest it points to.
        var manifestKey = key with { Reference = entry.Digest.ToString() };
        if (await index.FindManifestOrNullAsync(manifestKey, pull.Aborted) is not { } manifest)
        {
            (var fetched, cache) = await FetchAsync(pull, manifestKey);
            if (fetched is null) return;
            manifest = fetched;
        }
        await RespondAsync(pull, manifest, cache, time.GetElapsedTime(entry.CheckedAt));
    }

    private bool IsFresh(PullRequest pull, TagEntry entry) => time.GetElapsedTime(entry.CheckedAt) < pull.Upstream.Options.TagTtl;

    /// <summary>A failed check counts as a check for a while, so that an upstream that hangs costs one wait and not one per pull.</summary>
    private bool CheckFailedLately(TagEntry entry) => entry.CheckFailedAt != long.MinValue && time.GetElapsedTime(entry.CheckFailedAt) < options.FailedCheckLasts;

    private async Task<(TagEntry Entry, CacheState Cache)> RevalidateAsync(PullRequest pull, ContentKey key, TagEntry held)
    {
        var problem = "the upstream did not answer in time";
        try
        {
            // Another replica may have checked it.
            held = await index.ReloadTagAsync(key, pull.Aborted) ?? held;
            if (IsFresh(pull, held)) return (held, CacheState.Hit);
            var (ticket, refused) = await gate.JoinAsync(FetchKind.Tag, pull.Upstream, key.Repository, key.Reference, null, false, pull.Aborted);
            using (ticket)
            {
                if (ticket is not null && await ticket.WaitUntilSettledAsync(options.StaleAfter, pull.Aborted) && ticket.IsDone
                    && await index.ReloadTagAsync(key, pull.Aborted) is { } now)
                    return (now, now.Digest == held.Digest ? CacheState.Hit : ticket.Inserted ? CacheState.Miss : CacheState.Coalesced);
                problem = (refused ?? ticket?.Failure())?.Message ?? problem;
            }
        }
        catch (Metadata.DatabaseUnavailableException e)
        {
            problem = e.Message;
        }
        held.CheckFailedAt = time.GetTimestamp();
        log.ServedStale(key.Upstream, key.Repository, key.Reference, problem);
        return (held, CacheState.Stale);
    }

    /// <summary>Fetches a manifest by digest. Null when the answer, an error, has been written.</summary>
    private async Task<(ManifestEntry? Manifest, CacheState Cache)> FetchAsync(PullRequest pull, ContentKey key)
    {
        using var ticket = await JoinAsync(pull, FetchKind.Manifest, key);
        if (ticket is null || !await SettledAsync(pull, ticket, key)) return default;
        if (await index.ReloadManifestAsync(key, pull.Aborted) is { } manifest)
            return (manifest, ticket.Inserted ? CacheState.Miss : CacheState.Coalesced);
        await OciErrorResult.WriteStillFetchingAsync(pull.Http, $"{key.Repository}@{key.Reference}", TimeSpan.FromSeconds(1));
        return default;
    }

    private async Task<FetchTicket?> JoinAsync(PullRequest pull, FetchKind kind, ContentKey key)
    {
        var (ticket, refused) = await gate.JoinAsync(kind, pull.Upstream, key.Repository, key.Reference, null, false, pull.Aborted);
        if (refused is not null) await OciErrorResult.WriteAsync(pull.Http, refused, OciErrorCode.ManifestUnknown);
        return ticket;
    }

    /// <summary>Waits for the outcome within the time for headers. False when an error has been written.</summary>
    private async Task<bool> SettledAsync(PullRequest pull, FetchTicket ticket, ContentKey key)
    {
        var left = options.HeaderTimeout - time.GetElapsedTime(pull.StartedAt);
        if (!await ticket.WaitUntilSettledAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, pull.Aborted))
        {
            await OciErrorResult.WriteStillFetchingAsync(pull.Http, $"{key.Repository} {key.Reference}", queue.RetryAfter);
            return false;
        }
        if (ticket.Failure() is not { } failure) return true;
        await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.ManifestUnknown);
        return false;
    }

    private Task RespondAsync(PullRequest pull, ManifestEntry manifest, CacheState cache, TimeSpan? age)
    {
        access.Record(manifest.Digest);
        metrics.Served(pull.Upstream.Name, "manifest", cache, pull.IsHead ? 0 : manifest.Bytes.Length);
        return ManifestResult.WriteAsync(pull, manifest, cache, age);
    }
}
