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
    private IBlobSource? _source;
    private ILiveFetch? _live;
    private long _fence = -1, _liveFence = -1;
    private int _rejoins;

    private const int MostRejoins = 3;

    public BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key, BlobEntry held)
        : this(shared, upstream, key) => _held = held;

    public BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key, FetchTicket ticket)
        : this(shared, upstream, key) => _ticket = ticket;

    /// <summary>The bytes themselves, when they are small and in memory.</summary>
    public byte[]? Bytes => _held?.Bytes;

    /// <summary>The entry the bytes may be kept in.</summary>
    public BlobEntry? Held => _held;

    /// <summary>Why this request gets nothing, once that is settled.</summary>
    public FetchFailure? Failure => _ticket?.Failure();

    /// <summary>Whether the stored object can be opened; it is open then, from <paramref name="start"/>.</summary>
    public async ValueTask<bool> IsThereAsync(long start, long end, CancellationToken cancellationToken) =>
        _held!.Bytes is not null || (_source = await OpenStoredAsync(start, end, cancellationToken)) is not null;

    /// <summary>What the upstream of the running fetch answered, or what is stored by now. Null when time is up or the fetch has failed for us.</summary>
    public async Task<LiveAnswer?> WaitForAnswerAsync(TimeSpan atMost, CancellationToken cancellationToken)
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
                    if (await StoredAnswerAsync(timeout.Token) is { } stored) return stored;
                    // It went past a full disk to those who were there in time.
                    if (await RejoinAsync(timeout.Token)) continue;
                    return null;
                }
                if (await FindLiveAsync(timeout.Token) is var (live, fence))
                {
                    // The row is watched too: our own source may be refused while another one's answer is still out.
                    var answered = live.WaitForAnswerAsync(timeout.Token);
                    await Task.WhenAny(answered, changed);
                    if (!answered.IsCompleted) continue;
                    if (await answered is { } answer && live.OpenOrNull(0) is { } source)
                    {
                        (_source, _fence) = (source, fence);
                        return answer;
                    }
                    if (live.IsOwnerSilent) await SuspectAsync(_ticket.Status, fence, timeout.Token);
                }
                await changed.WaitAsync(timeout.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    /// <summary>What holds the byte at <paramref name="offset"/>; null when nothing ever will.</summary>
    public async ValueTask<IBlobSource?> LocateAsync(long offset, long end, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _source, null) is { } opened) return opened;
        if (_held is not null)
        {
            if (await OpenStoredAsync(offset, end, cancellationToken) is { } stored) return stored;
            if (_ticket is null && !await RejoinAsync(cancellationToken)) return null;
        }
        while (true)
        {
            var changed = _ticket!.Changed;
            if (_ticket.Failure() is not null) return null;
            if (_ticket.IsDone)
            {
                _held = await shared.Index.ReloadBlobAsync(key, cancellationToken) ?? await StoredForOthersAsync(cancellationToken);
                if (_held is not null && await OpenStoredAsync(offset, end, cancellationToken) is { } stored) return stored;
                // What was sent so far has been verified, or came from verified bytes: another download may go on.
                if (await RejoinAsync(cancellationToken)) continue;
                return null;
            }
            if (await FindLiveAsync(cancellationToken) is var (live, fence))
            {
                if (!live.IsOwnerSilent && live.OpenOrNull(offset) is { } source)
                {
                    _fence = fence;
                    return source;
                }
                if (live.IsOwnerSilent)
                {
                    // The row tells whether it is gone; until then it is asked again at every look.
                    await SuspectAsync(_ticket.Status, fence, cancellationToken);
                    _live = null;
                }
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A running fetch has stood still under us: true when the row names another owner by now; else the owner is suspected.</summary>
    public async Task<bool> HasMovedOnAsync(CancellationToken cancellationToken)
    {
        if (_ticket?.Status is not { } status || _fence < 0) return false;
        if (status.State != FetchState.Running || status.Fence != _fence) return true;
        await SuspectAsync(status, _fence, cancellationToken);
        return false;
    }

    public void Dispose()
    {
        _source?.Dispose();
        _ticket?.Dispose();
    }

    private async ValueTask<(ILiveFetch Live, long Fence)?> FindLiveAsync(CancellationToken cancellationToken)
    {
        if (_ticket!.Status is not { State: FetchState.Running } status) return null;
        if (_live is null || _liveFence != status.Fence)
            (_live, _liveFence) = (await shared.Live.FindOrNullAsync(status.Id, status.Fence, status.OwnerAddress ?? "", cancellationToken), status.Fence);
        return _live is { } live ? (live, status.Fence) : null;
    }

    private async Task SuspectAsync(FetchStatus? status, long fence, CancellationToken cancellationToken)
    {
        try
        {
            if (status is not null) await shared.Queue.SuspectAsync(status.Id, fence, cancellationToken);
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
            if (await shared.Store.OpenOrNullAsync(blob, start, end, cancellationToken) is { } source) return source;
        }
        catch (StoreUnavailableException e)
        {
            // Says nothing about the object: whoever has the bytes now is asked, a running fetch or the upstream.
            shared.Log.StoreUnavailable(blob.Digest, e.Message);
            _held = null;
            return null;
        }

        // Evicted since we looked; or vanished or damaged, and then the row must not promise it any longer.
        shared.Index.ForgetBlob(key);
        if (await shared.Holdings.ForgetBlobAsync(key.Reference, blob.Fence, cancellationToken)) shared.Log.ObjectVanished(blob.Digest, blob.Fence);
        _held = null;
        return null;
    }

    /// <summary>Starts over, a few times at most, for bytes that are held nowhere any more.</summary>
    private async Task<bool> RejoinAsync(CancellationToken cancellationToken)
    {
        if (++_rejoins > MostRejoins) return false;
        var (ticket, _) = await shared.Gate.JoinAsync(FetchKind.Blob, upstream, key.Repository, key.Reference, null, false, cancellationToken);
        _ticket?.Dispose();
        _ticket = ticket;
        return ticket is not null;
    }

    /// <summary>What the finished fetch stored: as this repository's own, or brought by way of another, for which this one's right is checked apart.</summary>
    private async Task<LiveAnswer?> StoredAnswerAsync(CancellationToken cancellationToken)
    {
        _held = await shared.Index.ReloadBlobAsync(key, cancellationToken);
        if (_held is not null) return new LiveAnswer(key.Upstream, key.Repository, _held.Size);
        _held = await StoredForOthersAsync(cancellationToken);
        return _held is null ? null : new LiveAnswer("", "", _held.Size);
    }

    private async Task<BlobEntry?> StoredForOthersAsync(CancellationToken cancellationToken)
    {
        var facts = await shared.Holdings.FindBlobAsync(key.Upstream, key.Repository, key.Reference, cancellationToken);
        return facts.Held is { } blob && shared.Index.IsHeldIn(upstream, facts)
            ? new BlobEntry { LoadedAt = 0, Digest = Digest.Parse(key.Reference), Fence = blob.Fence, Size = blob.Size }
            : null;
    }
}
