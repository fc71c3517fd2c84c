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
    FetcherIdentity identity, FetcherOptions options, Announcer announcer, FetcherMetrics metrics, ILogger<BlobFetch> log) : IFetchWork, IDisposable
{
    /// <summary>How many blobs may lie verified in their spools while the store is away. Each holds a file open and is renewed every second; the folder's room bounds their bytes.</summary>
    private const int MostToStore = 1000;

    private static readonly TimeSpan RingKept = TimeSpan.FromMinutes(2), ReadersCome = TimeSpan.FromSeconds(1);

    /// <summary>Uploads hold no slot, but no more of them run at once than there are.</summary>
    private readonly SemaphoreSlim _uploads = new(options.Slots);
    private int _toStore;

    public FetchKind Kind => FetchKind.Blob;

    public void Dispose() => _uploads.Dispose();

    public async Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken)
    {
        CrashPoint.Reached(1); // claimed
        var digest = Digest.Parse(fetch.Claim.Reference, null);

        // 1 The spool can be found from here on; readers, who may know of the claim already, wait at it for the answer.
        using var spool = folder.Create(fetch.Id, fetch.Fence, digest, fetch.IsHeld);
        fetch.Spool = spool;
        live.Add(spool);
        try
        {
            // 2 Somebody may have stored it between the waiter's look and its join: then there is nothing to bring.
            var source = fetch.Claim.Sources.First(s => s.Outcome is null);
            var facts = await holdings.FindBlobAsync(source.Upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
            if (await IsHeldAsync(fetch, facts, cancellationToken))
            {
                if (await queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken) == CommitResult.Committed) announcer.Finished(fetch, FetchOutcome.Stored);
                return;
            }
            announcer.Started(fetch);
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
                // What is left waits for the store, and for the database, however long they are away: another fetch has the slot.
                fetch.FreeSlot();
                await KeepAsync(fetch, spool, digest, source, cancellationToken);
                return;
            }
            source = await SettleAsync(fetch, spool, source, failure, cancellationToken);
        }
    }

    /// <summary>Makes verified bytes durable and known. Once told to stop it waits for no store that is away, but ends what it has begun.</summary>
    private async Task KeepAsync(RunningFetch fetch, Spool spool, Digest digest, FetchSource source, CancellationToken stopping)
    {
        var cancellationToken = fetch.Lost;
        var blob = new StoredBlob(digest, fetch.Fence, spool.Size!.Value);
        if (spool.PassThrough)
        {
            await FinishWithoutContentAsync(fetch, spool, source, cancellationToken);
            _ = spool.DropRingAsync(RingKept);
            metrics.PassedThrough();
            log.PassedThrough(digest, blob.Size, source.Upstream);
            return;
        }

        // 5 Durable: a file after sync, rename and sync of the folder, an object when its server has said so.
        try
        {
            using var trace = FetchTrace.Store();
            await WhenStoreIsBackAsync(spool, blob, stopping, cancellationToken);
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
        if (commit != CommitResult.Committed) await DiscardObjectAsync(digest, fetch.Fence, cancellationToken);
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
        var finished = await WhenDatabaseIsBackAsync(() => queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken), cancellationToken);
        if (finished == CommitResult.Committed) announcer.Finished(fetch, source, FetchOutcome.Stored);
    }

    /// <summary>Deletes an object that no row will point to. That it could not be is no reason to leave the rest undone.</summary>
    private async Task DiscardObjectAsync(Digest digest, long fence, CancellationToken cancellationToken)
    {
        try
        {
            await store.DeleteAsync(digest, fence, cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            log.NotDeleted(digest, e.Message);
        }
    }

    /// <summary>Writes down how a source failed. Returns the next one to ask, or null when the fetch has failed or is another owner's.</summary>
    private async Task<FetchSource?> SettleAsync(RunningFetch fetch, Spool spool, FetchSource source, UpstreamFailure failure, CancellationToken cancellationToken)
    {
        log.SourceFailed(fetch.Claim.Reference, source.Upstream, source.Repository, failure.Outcome, failure.Message);
        log.IfLimited(fetch.Claim.Reference, source.Upstream, source.Repository, failure);
        metrics.Failed(source.Upstream, failure.Outcome);
        // Readers may have had bad bytes, from this very fetch: none of them may be completed by another source, of this owner or of the next (promise 2).
        var settled = await WhenDatabaseIsBackAsync(() => failure.Outcome == FetchOutcome.Corrupt && spool.Size is not null
            ? queue.SettleAllAsync(fetch.Id, fetch.Fence, failure.Outcome, failure.Message, cancellationToken)
            : queue.SettleSourceAsync(
                fetch.Id, fetch.Fence, source.Upstream, source.Repository, failure.Outcome, failure.Message, catalog.Find(source.Upstream)?.StandsFor(failure, fetch.Claim.Reference), cancellationToken), cancellationToken);
        if (settled is not SourceSettlement.LeaseLost) announcer.Finished(fetch, source, failure.Outcome);
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
    /// <exception cref="IOException">The store refuses them, or as many wait for it as may.</exception>
    private async Task WhenStoreIsBackAsync(Spool spool, StoredBlob blob, CancellationToken stopping, CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref _toStore) > MostToStore) throw new IOException($"{MostToStore} others wait for the store");
            for (string? said = null; ;)
            {
                try
                {
                    await UploadAsync(spool, blob, stopping, cancellationToken);
                    return;
                }
                catch (StoreUnavailableException e)
                {
                    if (e.Message != said) log.StoreWaits(blob.Digest, said = e.Message);
                    await Task.Delay(TimeSpan.FromSeconds(2), stopping);
                }
            }
        }
        finally
        {
            Interlocked.Decrement(ref _toStore);
        }
    }

    private async Task UploadAsync(Spool spool, StoredBlob blob, CancellationToken stopping, CancellationToken cancellationToken)
    {
        await _uploads.WaitAsync(stopping);
        try
        {
            await store.StoreAsync(spool, blob, cancellationToken);
        }
        finally
        {
            _uploads.Release();
        }
    }

    /// <summary>How a download ended is worth waiting for: it is tried to write it down until the database is back or the lease is another's.</summary>
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
