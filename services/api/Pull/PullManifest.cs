using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Api.Pull;

/// <summary>A pull of a manifest, by tag or by digest, from top to bottom.</summary>
internal sealed class PullManifest(ContentIndex index, TagFreshness freshness, FetchGate gate, HotAnswers hot, Access.AccessRecorder access, QueueMeter queue, ApiOptions options, ApiMetrics metrics, TimeProvider time)
{
    /// <summary>By digest: what is held and may be served is served, and never asked for again; else it is fetched.</summary>
    public async Task ByDigestAsync(PullRequest pull, Digest digest)
    {
        // 1 Look up.
        var key = new ContentKey(pull.Upstream.Name, pull.Repository, digest.ToString());
        if (await index.FindManifestOrNullAsync(key, pull.Aborted) is { } held)
        {
            await RespondAsync(pull, held, new Provenance(CacheState.Hit));
            return;
        }

        // 2 Fetch, and answer with what came.
        var (manifest, cache) = await FetchAsync(pull, key);
        if (manifest is not null) await RespondAsync(pull, manifest, new Provenance(cache));
    }

    /// <summary>By tag: within its TTL as held; then the upstream is asked, and a tag that is held waits for that only a moment.</summary>
    public async Task ByTagAsync(PullRequest pull, string tag)
    {
        var key = new ContentKey(pull.Upstream.Name, pull.Repository, tag);
        Provenance origin;

        // 1 What does the tag point to?
        var entry = await index.FindTagOrNullAsync(key, pull.Aborted);

        // 2 Not held: the upstream must say.
        if (entry is null)
        {
            using var ticket = await JoinAsync(pull, FetchKind.Tag, key);
            if (ticket is null || !await SettledAsync(pull, ticket, key)) return;
            entry = await index.ReloadTagAsync(key, pull.Aborted);
            if (entry is null)
            {
                await OciErrorResult.WriteStillFetchingAsync(pull.Http, $"{pull.Repository}:{tag}", TimeSpan.FromSeconds(1), ticket.Cache);
                return;
            }
            origin = new Provenance(ticket.Cache, time.GetElapsedTime(entry.CheckedAt));
        }

        // 3 Held: as it is, confirmed again, or stale.
        else
        {
            (entry, origin, var gone) = await freshness.ConfirmAsync(pull, key, entry);
            if (gone is not null)
            {
                await OciErrorResult.WriteAsync(pull.Http, gone, OciErrorCode.ManifestUnknown);
                return;
            }
        }

        // 4 The manifest it points to.
        var manifestKey = key with { Reference = entry.Digest.ToString() };
        if (await index.FindManifestOrNullAsync(manifestKey, pull.Aborted) is not { } manifest)
        {
            (var fetched, var cache) = await FetchAsync(pull, manifestKey);
            if (fetched is null) return;
            (manifest, origin) = (fetched, origin with { Cache = cache });
        }

        // 5 To a client that can't read an index it would be a broken image; by digest it has asked for just this.
        if (MediaTypes.IsIndex(manifest.MediaType) && !AcceptHeader.AllowsIndex(pull.Http.Request.Headers.Accept.ToString()))
        {
            origin.Cache.Say(pull.Http.Response.Headers);
            await OciErrorResult.WriteAsync(pull.Http, NotReadable(manifest));
            return;
        }
        await RespondAsync(pull, manifest, origin, entry);
    }

    private static OciError NotReadable(ManifestEntry index) => new(OciErrorCode.ManifestUnknown, MediaTypes.IsOciIndex(index.MediaType)
        ? "OCI index found, but accept header does not support OCI indexes"
        : "manifest list found, but accept header does not support manifest lists");

    /// <summary>Fetches a manifest by digest. Null when the answer, an error, has been written.</summary>
    private async Task<(ManifestEntry? Manifest, CacheState Cache)> FetchAsync(PullRequest pull, ContentKey key)
    {
        using var ticket = await JoinAsync(pull, FetchKind.Manifest, key);
        if (ticket is null || !await SettledAsync(pull, ticket, key)) return default;
        if (await index.ReloadManifestAsync(key, pull.Aborted) is { } manifest)
            return (manifest, ticket.Cache);
        await OciErrorResult.WriteStillFetchingAsync(pull.Http, $"{key.Repository}@{key.Reference}", TimeSpan.FromSeconds(1), ticket.Cache);
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
            await OciErrorResult.WriteStillFetchingAsync(pull.Http, $"{key.Repository} {key.Reference}", queue.RetryAfter, ticket.Cache);
            return false;
        }
        if (ticket.Failure() is not { } failure) return true;
        await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.ManifestUnknown);
        return false;
    }

    private Task RespondAsync(PullRequest pull, ManifestEntry manifest, Provenance origin, TagEntry? tag = null)
    {
        if (origin is { Cache: CacheState.Hit, Warning: null }) hot.Remember(pull, manifest, tag);
        access.Record(manifest.Digest);
        metrics.Served(pull.Upstream.Name, "manifest", origin.Cache, pull.IsHead ? 0 : manifest.Bytes.Length);
        return ManifestResult.WriteAsync(pull, manifest, origin);
    }
}
