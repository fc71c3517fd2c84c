using Entrepot.Api.Access;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;

namespace Entrepot.Api.Pull;

/// <summary>
/// A pull of a blob, from top to bottom. A cold blob gets its headers when the upstream has answered for it and never before, so that a 404, a
/// denial or a lie of the upstream still becomes a status; its bytes then come live from the one download that everybody shares.
/// </summary>
internal sealed class PullBlob(
    ContentIndex index, Holdings holdings, FetchGate gate, HotAnswers hot, BlobLocators locators, Redirects redirects, BodyLoop body, Prefetch prefetch, AccessRecorder access, QueueMeter queue,
    ApiOptions options, ApiMetrics metrics, TimeProvider time)
{
    public async Task RunAsync(PullRequest pull, Digest digest)
    {
        // 1 Look up. A hit is answered from memory or with one open of the store.
        var key = new ContentKey(pull.Upstream.Name, pull.Repository, digest.ToString());
        if (index.KnownBlobOrNull(key) is { } held && await TryServeHeldAsync(pull, key, held, CacheState.Hit)) return;

        // 2 Ask the database: an entry may be missing, or older than an eviction. What is left is not held, or out of reach, or not proven to be this repository's.
        var facts = await holdings.FindBlobAsync(key.Upstream, key.Repository, key.Reference, pull.Aborted);
        var current = index.Remember(key, facts);
        if (current is not null && await TryServeHeldAsync(pull, key, current, CacheState.Hit)) return;
        var mayHave = facts.Rights != Rights.None;
        if (pull.IsHead || (current is null && facts.Held is not null && index.IsHeldIn(pull.Upstream, facts)))
        {
            await WithoutDownloadAsync(pull, key, facts, mayHave);
            return;
        }

        // 3 Join the download, or start it.
        var (ticket, refused) = await gate.JoinAsync(FetchKind.Blob, pull.Upstream, key.Repository, key.Reference, KnownSize(facts), false, pull.Aborted);
        if (ticket is null)
        {
            await OciErrorResult.WriteAsync(pull.Http, refused!, OciErrorCode.BlobUnknown);
            return;
        }
        using var locator = locators.Create(pull.Upstream, key, ticket);
        prefetch.LayerWanted(pull.Upstream, key.Repository, digest);

        // 4 Wait for the upstream's answer, and for the proof that this repository has the blob when another one's source gave it.
        if (await AnswerAsync(pull, locator, key, mayHave, ticket.Cache) is not { } size) return;

        // 5 Headers, 6 body.
        var cache = ticket.Cache;
        await RespondAsync(pull, digest, size, cache, locator);
    }

    /// <summary>Serves from memory or the store, or sends the client there; false when the object has vanished behind our back and must be fetched again.</summary>
    private async Task<bool> TryServeHeldAsync(PullRequest pull, ContentKey key, BlobEntry held, CacheState cache)
    {
        if (pull.IsHead)
        {
            access.Record(held.Digest);
            metrics.Served(pull.Upstream.Name, "blob", cache, 0);
            BlobHead.Write(pull, held.Digest, held.Size, cache);
            return true;
        }
        using var locator = locators.Create(pull.Upstream, key, held);
        if (redirects.UrlOrNull(pull, held) is { } url)
        {
            // One byte is asked for, as a hit asks for them all: what has vanished is noticed here, because a client that was sent there could only fail.
            if (!await locator.IsThereAsync(0, 1, pull.Aborted)) return false;
            access.Record(held.Digest);
            metrics.Redirected(pull.Upstream.Name, cache);
            BlobHead.WriteRedirect(pull, held.Digest, url, cache);
            return true;
        }
        if (BlobHead.FirstStretch(pull, held.Digest, held.Size) is var (start, end) && !await locator.IsThereAsync(start, end, pull.Aborted)) return false;
        if (held.Bytes is not null) hot.Remember(pull, held);
        await RespondAsync(pull, held.Digest, held.Size, cache, locator);
        return true;
    }

    /// <summary>A HEAD, or bytes that are held where this repository's right to them is not proven: its upstream says, without a download.</summary>
    private async Task WithoutDownloadAsync(PullRequest pull, ContentKey key, BlobFacts facts, bool mayHave)
    {
        // A manifest of this repository lists it with its size: nothing to ask.
        if (pull.IsHead && mayHave && KnownSize(facts) is { } listed)
        {
            metrics.Served(pull.Upstream.Name, "blob", CacheState.Miss, 0);
            BlobHead.Write(pull, Digest.Parse(key.Reference), listed, CacheState.Miss);
            return;
        }
        var (link, refused) = await gate.JoinAsync(FetchKind.Link, pull.Upstream, key.Repository, key.Reference, null, false, pull.Aborted);
        using (link)
        {
            if (refused is null && !await SettledAsync(pull, link!, key.Reference)) return;
            if ((refused ?? link!.Failure()) is { } failure)
            {
                await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.BlobUnknown);
                return;
            }
            if (await index.ReloadBlobAsync(key, pull.Aborted) is { } entry && await TryServeHeldAsync(pull, key, entry, CacheState.Hit)) return;
            if (pull.IsHead && link!.Status?.Size is { } size)
            {
                metrics.Served(pull.Upstream.Name, "blob", link.Cache, 0);
                BlobHead.Write(pull, Digest.Parse(key.Reference), size, link.Cache);
                return;
            }
            await OciErrorResult.WriteStillFetchingAsync(pull.Http, key.Reference, TimeSpan.FromSeconds(1), link?.Cache ?? CacheState.Miss);
        }
    }

    /// <summary>The size once this repository's answer is known; null when an error has been written.</summary>
    private async Task<long?> AnswerAsync(PullRequest pull, BlobLocator locator, ContentKey key, bool mayHave, CacheState cache)
    {
        var digest = Digest.Parse(key.Reference);
        var answer = await locator.WaitForAnswerAsync(size => BlobHead.FirstStretch(pull, digest, size), TimeLeft(pull), pull.Aborted);
        if (answer is null)
        {
            if (locator.IsStoreAway) await OciErrorResult.WriteAsync(pull.Http, new OciError(OciErrorCode.Unavailable, $"{key.Reference} is held, but the object store can't be reached; try again"));
            else if (locator.Failure is { } failure) await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.BlobUnknown);
            else await OciErrorResult.WriteStillFetchingAsync(pull.Http, key.Reference, queue.RetryAfter, cache);
            return null;
        }
        if (mayHave || (answer.Upstream == key.Upstream && answer.Repository == key.Repository)) return answer.Size;

        // The bytes come by way of another repository: ask our own upstream whether this one has them too.
        var (link, refused) = await gate.JoinAsync(FetchKind.Link, pull.Upstream, key.Repository, key.Reference, null, false, pull.Aborted);
        using (link)
        {
            if (refused is null && !await SettledAsync(pull, link!, key.Reference)) return null;
            if ((refused ?? link!.Failure()) is not { } failure) return answer.Size;
            await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.BlobUnknown);
            return null;
        }
    }

    private async Task RespondAsync(PullRequest pull, Digest digest, long size, CacheState cache, BlobLocator locator)
    {
        access.Record(digest);
        var parts = BlobHead.Write(pull, digest, size, cache);
        var sent = await body.WriteAsync(pull, parts, locator);
        metrics.Served(pull.Upstream.Name, "blob", cache, sent);
    }

    private async Task<bool> SettledAsync(PullRequest pull, FetchTicket ticket, string what)
    {
        if (await ticket.WaitUntilSettledAsync(TimeLeft(pull), pull.Aborted)) return true;
        await OciErrorResult.WriteStillFetchingAsync(pull.Http, what, queue.RetryAfter, ticket.Cache);
        return false;
    }

    /// <summary>The size as a manifest of this repository lists it; schema 1 lists none.</summary>
    private static long? KnownSize(BlobFacts facts) => facts.ListedSize is >= 0 ? facts.ListedSize : null;

    private TimeSpan TimeLeft(PullRequest pull)
    {
        var left = options.HeaderTimeout - time.GetElapsedTime(pull.StartedAt);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }
}
