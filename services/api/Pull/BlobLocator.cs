using Entrepot.Api.Index;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// Knows for one response what holds the blob's bytes now: the store, the running fetch, or the next owner of it. Asked again whenever a source
/// ends early, so that spools may be deleted, objects evicted and fetchers drained under any reader.
/// </summary>
internal sealed class BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key) : IDisposable
{
    private BlobEntry? _held;
    private FetchTicket? _ticket;
    private FetchFailure? _refused;
    private IBlobSource? _source;
    private ILiveFetch? _live;
    private long _fence = -1, _liveFence = -1, _doubtedAt;
    private int _rejoins, _failedOpens, _unknown;
    private (long Fence, long Bytes) _progress;

    private const int MostRejoins = 3, OpensBeforeRejoin = 5;
    private static readonly TimeSpan BetweenOpens = TimeSpan.FromSeconds(1), StillFor = TimeSpan.FromSeconds(2);

    public BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key, BlobEntry held)
        : this(shared, upstream, key) => _held = held;

    public BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key, FetchTicket ticket)
        : this(shared, upstream, key) => _ticket = ticket;

    /// <summary>The bytes themselves, when they are small and in memory.</summary>
    public byte[]? Bytes => _held?.Bytes;

    /// <summary>The entry the bytes may be kept in.</summary>
    public BlobEntry? Held => _held;

    /// <summary>Why this request gets nothing, once that is settled.</summary>
    public FetchFailure? Failure => _refused ?? _ticket?.Failure();

    /// <summary>Whether it is stored, and the store could not be reached when it was last tried.</summary>
    public bool IsStoreAway => _failedOpens > 0;

    /// <summary>Whether the stored object can be opened; it is open then, from <paramref name="start"/>.</summary>
    public async ValueTask<bool> IsThereAsync(long start, long end, CancellationToken cancellationToken) =>
        _held!.Bytes is not null || (_source = await OpenStoredAsync(start, end, cancellationToken)) is not null;

    /// <summary>
    /// What the upstream of the running fetch answered, or what is stored by now; that is open then, at the stretch that the response to a blob of that size begins with, if it has any.
    /// Null when time is up or the fetch has failed for us.
    /// </summary>
    public async Task<LiveAnswer?> WaitForAnswerAsync(Func<long, (long Start, long End)?> firstStretch, TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(atMost);
        try
        {
            while (true)
            {
                var changed = _ticket!.Changed;
                if (_ticket.Failure() is not null) return null;
                if (_ticket.IsDone)
                {
                    if (await StoredAnswerAsync(firstStretch, timeout.Token) is { } stored) return stored;
                    if (await GoOnAsync(timeout.Token)) continue;
                    return null;
                }
                if (await FindLiveAsync(timeout.Token) is var (live, fence))
                {
                    // The row is watched too: our own source may be refused while another one's answer is still out.
                    var answered = live.WaitForAnswerAsync(timeout.Token);
                    await Task.WhenAny(answered, changed);
                    if (!answered.IsCompleted)
                    {
                        await DoubtIfStillAsync(fence, timeout.Token);
                        continue;
                    }
                    if (await answered is { } answer && live.OpenOrNull(0) is { } source)
                    {
                        (_source, _fence) = (source, fence);
                        return answer;
                    }
                    await DoubtAsync(live, fence, timeout.Token);
                }
                await changed.WaitAsync(timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            // Ends a question that is still out.
            await timeout.CancelAsync();
        }
    }

    /// <summary>What holds the byte at <paramref name="offset"/>; null when nothing ever will.</summary>
    public async ValueTask<IBlobSource?> LocateAsync(long offset, long end, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _source, null) is { } opened) return opened;
        if (_held is not null && await OpenStoredAsync(offset, end, cancellationToken) is { } there) return there;
        if (_ticket is null && !await RejoinAsync(cancellationToken)) return null;
        while (true)
        {
            var changed = _ticket!.Changed;
            if (_ticket.Failure() is not null) return null;
            if (_ticket.IsDone)
            {
                await FindStoredAsync(cancellationToken);
                if (_held is not null && await OpenStoredAsync(offset, end, cancellationToken) is { } stored) return stored;
                // What was sent so far has been verified, or came from verified bytes: another download may go on.
                if (await GoOnAsync(cancellationToken)) continue;
                return null;
            }
            if (await FindLiveAsync(cancellationToken) is var (live, fence))
            {
                if (!live.IsOwnerSilent && live.OpenOrNull(offset) is { } source)
                {
                    _fence = fence;
                    return source;
                }
                await DoubtAsync(live, fence, cancellationToken);
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A running fetch has stood still under us: true when the row names another owner by now; else the owner is suspected, unless it still renews.</summary>
    public async Task<bool> HasMovedOnAsync(CancellationToken cancellationToken)
    {
        if (_ticket?.Status is not { } status || _fence < 0) return false;
        if (status.State != FetchState.Running || status.Fence != _fence) return true;
        await SuspectAsync(status, _fence, FetchTimings.LateRenewal, cancellationToken);
        return false;
    }

    /// <summary>Whether the running fetch has come further since this was asked last: a new owner has to bring what the lost one had before the last bytes can be given out.</summary>
    public bool HasProgressed()
    {
        if (_ticket?.Status is not { State: FetchState.Running } status) return false;
        var before = _progress;
        _progress = (status.Fence, status.Progress);
        // Until a new owner has renewed for the first time the row says what the lost one had.
        return before.Fence == status.Fence && status.Progress != before.Bytes;
    }

    public void Dispose()
    {
        _source?.Dispose();
        _ticket?.Dispose();
    }

    private async ValueTask<(ILiveFetch Live, long Fence)?> FindLiveAsync(CancellationToken cancellationToken)
    {
        if (_ticket!.Status is not { State: FetchState.Running } status) return null;
        if (_liveFence != status.Fence) (_live, _liveFence, _doubtedAt, _unknown) = (null, status.Fence, shared.Time.GetTimestamp(), 0);
        _live ??= await shared.Live.FindOrNullAsync(status.Id, status.Fence, status.OwnerAddress ?? "", cancellationToken);
        return _live is { } live ? (live, status.Fence) : null;
    }

    /// <summary>
    /// The owner can't be reached, or knows nothing of its claim. That may be because it has only just made it, or has just ended it, and then the row will say so; who says it twice may
    /// have forgotten. Until the row tells, it is asked again at every look.
    /// </summary>
    private async Task DoubtAsync(ILiveFetch live, long fence, CancellationToken cancellationToken)
    {
        if (live.IsOwnerSilent || ++_unknown > 1) await SuspectAsync(_ticket!.Status, fence, TimeSpan.Zero, cancellationToken);
        _live = null;
    }

    /// <summary>An owner that stands still keeps its connections, and looks like one that waits for its upstream. The latter renews meanwhile.</summary>
    private async Task DoubtIfStillAsync(long fence, CancellationToken cancellationToken)
    {
        if (shared.Time.GetElapsedTime(_doubtedAt) < StillFor) return;
        _doubtedAt = shared.Time.GetTimestamp();
        await SuspectAsync(_ticket!.Status, fence, FetchTimings.LateRenewal, cancellationToken);
    }

    /// <summary>Says on the row that its owner may be gone; not of this process itself, for which no other could take over.</summary>
    private async Task SuspectAsync(FetchStatus? status, long fence, TimeSpan unrenewedFor, CancellationToken cancellationToken)
    {
        try
        {
            if (status is { OwnerAddress.Length: > 0 }) await shared.Queue.SuspectAsync(status.Id, fence, unrenewedFor, cancellationToken);
        }
        catch (DatabaseUnavailableException)
        {
            // Nobody could take over either.
        }
    }

    private async ValueTask<IBlobSource?> OpenStoredAsync(long start, long end, CancellationToken cancellationToken)
    {
        var blob = new StoredBlob(_held!.Digest, _held.Fence, _held.Size);
        try
        {
            var source = await shared.Store.OpenOrNullAsync(blob, start, end, cancellationToken);
            _failedOpens = 0;
            if (source is not null) return source;
        }
        catch (StoreUnavailableException e)
        {
            // Says nothing about the object: whoever has the bytes now is asked, a running fetch or the upstream.
            if (_failedOpens++ == 0) shared.Log.StoreUnavailable(blob.Digest, e.Message);
            _held = null;
            return null;
        }

        // Evicted since we looked; or vanished or damaged, and then the row must not promise it any longer.
        shared.Index.ForgetBlob(key);
        if (await shared.Holdings.ForgetBlobAsync(key.Reference, blob.Fence, cancellationToken)) shared.Log.ObjectVanished(blob.Digest, blob.Fence);
        _held = null;
        return null;
    }

    /// <summary>The fetch is done, and what it stored could not be opened: it went past a full disk to those who were there in time, or is gone already, or the store is away. False when nothing is left to try.</summary>
    private async Task<bool> GoOnAsync(CancellationToken cancellationToken)
    {
        if (!IsStoreAway) return await RejoinAsync(cancellationToken);
        // The fetcher gets at the store: another fetch would be done as soon as this one.
        await Task.Delay(BetweenOpens, shared.Time, cancellationToken);
        if (_failedOpens % OpensBeforeRejoin != 0) return true;
        // By now the store may be away for the fetchers too, and then the blob is downloaded again.
        _rejoins = 0;
        await RejoinAsync(cancellationToken);
        return true;
    }

    /// <summary>Starts over, a few times at most, for bytes that are held nowhere any more.</summary>
    private async Task<bool> RejoinAsync(CancellationToken cancellationToken)
    {
        if (_rejoins >= MostRejoins) return false;
        (var ticket, _refused) = await shared.Gate.JoinAsync(FetchKind.Blob, upstream, key.Repository, key.Reference, null, false, cancellationToken);
        // Only what was answered counts: the database may be away.
        _rejoins++;
        if (ticket is null) return false;
        _ticket?.Dispose();
        _ticket = ticket;
        return true;
    }

    private async Task<LiveAnswer?> StoredAnswerAsync(Func<long, (long Start, long End)?> firstStretch, CancellationToken cancellationToken)
    {
        var isOwn = await FindStoredAsync(cancellationToken);
        if (_held is not { Size: var size }) return null;
        if (firstStretch(size) is var (start, end) && (_source = await OpenStoredAsync(start, end, cancellationToken)) is null) return null;
        return isOwn ? new LiveAnswer(key.Upstream, key.Repository, size) : new LiveAnswer("", "", size);
    }

    /// <summary>Looks up what the finished fetch stored. True when it is this repository's own; else it was brought by way of another, and this one's right to it is checked apart.</summary>
    private async Task<bool> FindStoredAsync(CancellationToken cancellationToken)
    {
        _held = await shared.Index.ReloadBlobAsync(key, cancellationToken);
        if (_held is not null) return true;
        _held = await StoredForOthersAsync(cancellationToken);
        if (_held is null) _failedOpens = 0;
        return false;
    }

    private async Task<BlobEntry?> StoredForOthersAsync(CancellationToken cancellationToken)
    {
        var facts = await shared.Holdings.FindBlobAsync(key.Upstream, key.Repository, key.Reference, cancellationToken);
        return facts.Held is { } blob && shared.Index.IsHeldIn(upstream, facts)
            ? new BlobEntry { LoadedAt = 0, Digest = Digest.Parse(key.Reference), Fence = blob.Fence, Size = blob.Size }
            : null;
    }
}
