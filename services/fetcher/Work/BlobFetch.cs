using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Brings one blob: asks the sources one after another, spools what the first of them sends to all who wait, verifies, stores, commits, announces.
/// The steps are numbered as in docs/architecture.md; a process that dies after any of them leaves nothing that a later one would serve.
/// </summary>
internal sealed class BlobFetch(
    UpstreamCatalog catalog, BlobDownload download, FetchQueue queue, Holdings holdings, IBlobStore store, SpoolFolder folder, LiveSpools live,
    FetcherIdentity identity, Announcer announcer, FetcherMetrics metrics, ILogger<BlobFetch> log) : IFetchWork
{
    private static readonly TimeSpan RingKept = TimeSpan.FromMinutes(2), ReadersCome = TimeSpan.FromSeconds(1);

    public FetchKind Kind => FetchKind.Blob;

    public async Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken)
    {
        CrashPoint.Reached(1); // claimed
        var digest = Digest.Parse(fetch.Claim.Reference, null);

        // 1 Somebody may have stored it between the waiter's look and its join: then there is nothing to bring.
        var source = fetch.Claim.Sources.First(s => s.Outcome is null);
        var facts = await holdings.FindBlobAsync(source.Upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
        if (await IsHeldAsync(fetch, facts, cancellationToken))
        {
            await queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken);
            announcer.Finished(fetch, FetchOutcome.Stored);
            return;
        }

        // 2 The spool can be found from here on; readers wait at it for the answer.
        using var spool = folder.Create(fetch.Id, fetch.Fence, digest, fetch.IsHeld);
        fetch.Spool = spool;
        live.Add(spool);
        announcer.Started(fetch);
        try
        {
            await FetchAsync(fetch, spool, digest, source, facts, cancellationToken);
        }
        finally
        {
            live.Remove(spool);
            folder.Release(spool);
        }
    }

    private async Task FetchAsync(RunningFetch fetch, Spool spool, Digest digest, FetchSource? source, BlobFacts? facts, CancellationToken cancellationToken)
    {
        // 3 Ask each source in turn until one sends the whole. The size is that of the source's own manifest: another repository's must not make it a liar.
        for (; source is not null; facts = null)
        {
            facts ??= await holdings.FindBlobAsync(source.Upstream, source.Repository, digest.ToString(), cancellationToken);
            var failure = catalog.Find(source.Upstream) is { } upstream
                ? await download.RunAsync(fetch, spool, upstream, source.Repository, facts.ListedSize is >= 0 ? facts.ListedSize : null, cancellationToken)
                : new UpstreamFailure(FetchOutcome.Denied, $"upstream {source.Upstream} is not configured any more");

            // 4 All bytes are there: compare the digest. A match lets the readers have the last of them.
            if (failure is null && await spool.VerifyAsync() is var actual && actual != digest)
                failure = new UpstreamFailure(FetchOutcome.Corrupt, $"{source.Upstream}/{source.Repository} sent bytes of {actual} for {digest}");
            if (failure is null)
            {
                CrashPoint.Reached(4); // verified
                await KeepAsync(fetch, spool, digest, source, fetch.Lost);
                return;
            }
            source = await SettleAsync(fetch, spool, source, failure, cancellationToken);
        }
    }

    /// <summary>Makes verified bytes durable and known.</summary>
    private async Task KeepAsync(RunningFetch fetch, Spool spool, Digest digest, FetchSource source, CancellationToken cancellationToken)
    {
        var blob = new StoredBlob(digest, fetch.Fence, spool.Size!.Value);
        if (spool.PassThrough)
        {
            await FinishWithoutContentAsync(fetch, spool, source, cancellationToken);
            _ = spool.DropRingAsync(RingKept);
            metrics.PassedThrough();
            log.PassedThrough(digest, blob.Size, source.Upstream);
            return;
        }

        // 5 Durable: sync, rename, sync of the folder.
        try
        {
            using var trace = FetchTrace.Store();
            await WhenStoreIsBackAsync(digest, () => store.StoreAsync(spool, blob, cancellationToken), cancellationToken);
        }
        catch (IOException e)
        {
            // The waiters have it all; only the next pull will come here again.
            log.NotStored(digest, e.Message);
            metrics.NotStored();
            await FinishWithoutContentAsync(fetch, spool, source, cancellationToken);
            return;
        }
        CrashPoint.Reached(5); // durable

        // 6 One transaction makes it count; without our fence the object is rubbish.
        var commit = await WhenDatabaseIsBackAsync(
            () => queue.CommitBlobAsync(fetch.Id, fetch.Fence, digest.ToString(), blob.Size, source.Upstream, source.Repository, cancellationToken), cancellationToken);
        CrashPoint.Reached(6); // committed
        if (commit != CommitResult.Committed) await store.DeleteAsync(digest, fetch.Fence, cancellationToken);
        if (commit == CommitResult.LeaseLost) return;

        // 7 Tell everybody.
        announcer.Finished(fetch, source, FetchOutcome.Stored);
        metrics.Stored(source.Upstream, blob.Size);
        log.BlobStored(digest, blob.Size, source.Upstream, source.Repository);
    }

    /// <summary>The file's name goes first: the database may need its room.</summary>
    private async Task FinishWithoutContentAsync(RunningFetch fetch, Spool spool, FetchSource source, CancellationToken cancellationToken)
    {
        SpoolFolder.Discard(spool);
        // Who waits in another process may only now have seen whom to read from; once the row is settled there is nobody.
        if (identity.Address.Length > 0) await Task.Delay(ReadersCome, cancellationToken);
        await WhenDatabaseIsBackAsync(() => queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken), cancellationToken);
        announcer.Finished(fetch, source, FetchOutcome.Stored);
    }

    /// <summary>Writes down how a source failed. Returns the next one to ask, or null when the fetch has failed or is another owner's.</summary>
    private async Task<FetchSource?> SettleAsync(RunningFetch fetch, Spool spool, FetchSource source, UpstreamFailure failure, CancellationToken cancellationToken)
    {
        log.SourceFailed(fetch.Claim.Reference, source.Upstream, source.Repository, failure.Outcome, failure.Message);
        log.IfLimited(fetch.Claim.Reference, source.Upstream, source.Repository, failure);
        metrics.Failed(source.Upstream, failure.Outcome);
        var settled = await queue.SettleSourceAsync(
            fetch.Id, fetch.Fence, source.Upstream, source.Repository, failure.Outcome, failure.Message, catalog.Find(source.Upstream)?.StandsFor(failure, fetch.Claim.Reference), cancellationToken);
        announcer.Finished(fetch, source, failure.Outcome);

        // Readers have had bytes that may be bad, from this very fetch: none of them may be completed by another source (promise 2).
        while (failure.Outcome == FetchOutcome.Corrupt && spool.Size is not null && settled is SourceSettlement.Next(var next))
        {
            settled = await queue.SettleSourceAsync(
                fetch.Id, fetch.Fence, next.Upstream, next.Repository, failure.Outcome, $"the bytes that were being delivered are not those of {fetch.Claim.Reference}", failure.RetryAfter, cancellationToken);
            announcer.Finished(fetch, next, failure.Outcome);
        }
        if (settled is SourceSettlement.Next(var remaining)) return remaining;
        spool.End();
        if (settled is SourceSettlement.FetchFailed) SpoolFolder.Discard(spool);
        return null;
    }

    private async Task<bool> IsHeldAsync(RunningFetch fetch, BlobFacts facts, CancellationToken cancellationToken) =>
        facts.Held is { } held && facts.PossessedBy.Any(u => catalog.Find(u)?.TrustDomain == fetch.Claim.TrustDomain)
            && await IsStoredAsync(new StoredBlob(Digest.Parse(fetch.Claim.Reference), held.Fence, held.Size), cancellationToken);

    /// <summary>Whether the store really has it: it may have vanished there, or nobody can get at it now.</summary>
    private async Task<bool> IsStoredAsync(StoredBlob blob, CancellationToken cancellationToken)
    {
        try
        {
            if (blob.Size == 0) return true;
            using var opened = await store.OpenOrNullAsync(blob, 0, 1, cancellationToken);
            if (opened is null) await holdings.ForgetBlobAsync(blob.Digest.ToString(), blob.Fence, cancellationToken);
            return opened is not null;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>While the store is away the spool keeps the bytes, and whoever asks reads them there.</summary>
    private async Task WhenStoreIsBackAsync(Digest digest, Func<Task> write, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await write();
                return;
            }
            catch (StoreUnavailableException e)
            {
                log.StoreWaits(digest, e.Message);
                await Task.Delay(TimeSpan.FromSeconds(2), cancellationToken);
            }
        }
    }

    /// <summary>A download that is done is worth waiting for: the commit is tried until the database is back or the lease is another's.</summary>
    private async Task<T> WhenDatabaseIsBackAsync<T>(Func<Task<T>> write, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await write();
            }
            catch (DatabaseUnavailableException e)
            {
                log.CommitWaits(e.Message);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            }
        }
    }
}
