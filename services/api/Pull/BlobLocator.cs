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
    private long _fence = -1;

    public BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key, BlobEntry held)
        : this(shared, upstream, key) => _held = held;

    public BlobLocator(BlobLocators shared, Upstream upstream, ContentKey key, FetchTicket ticket)
        : this(shared, upstream, key) => _ticket = ticket;

    /// <summary>The bytes themselves, when they are small and in memory.</summary>
    public byte[]? Bytes => _held?.Bytes;

    /// <summary>The entry the bytes may be kept in.</summary>
    public BlobEntry? Held => _held;

    /// <summary>Whether the stored object can be opened; it is open then.</summary>
    public async ValueTask<bool> IsThereAsync(CancellationToken cancellationToken) =>
        _held!.Bytes is not null || (_source = await OpenStoredAsync(cancellationToken)) is not null;

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
                    return await StoredAnswerAsync(timeout.Token);
                if (await FindLiveAsync(timeout.Token) is { } live)
                {
                    // The row is watched too: our own source may be refused while another one's answer is still out.
                    var answered = live.WaitForAnswerAsync(timeout.Token);
                    await Task.WhenAny(answered, changed);
                    if (!answered.IsCompleted) continue;
                    if (await answered is { } answer && live.OpenOrNull(0) is { } source)
                    {
                        (_source, _fence) = (source, _ticket.Status?.Fence ?? -1);
                        return answer;
                    }
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
    public async ValueTask<IBlobSource?> LocateAsync(long offset, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _source, null) is { } opened) return opened;
        if (_held is not null)
        {
            if (await OpenStoredAsync(cancellationToken) is { } stored) return stored;
            if (_ticket is null && !await RejoinAsync(cancellationToken)) return null;
        }
        while (true)
        {
            var changed = _ticket!.Changed;
            if (_ticket.Failure() is not null) return null;
            if (_ticket.IsDone)
            {
                _held = await shared.Index.ReloadBlobAsync(key, cancellationToken) ?? await StoredForOthersAsync(cancellationToken);
                return _held is null ? null : await OpenStoredAsync(cancellationToken);
            }
            if (await FindLiveAsync(cancellationToken) is { } live && live.OpenOrNull(offset) is { } source)
            {
                _fence = _ticket.Status!.Fence;
                return source;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <summary>A running fetch has stood still under us: true when the row names another owner by now; else the owner is suspected.</summary>
    public async Task<bool> HasMovedOnAsync(CancellationToken cancellationToken)
    {
        if (_ticket?.Status is not { } status || _fence < 0) return false;
        if (status.State != FetchState.Running || status.Fence != _fence) return true;
        try
        {
            await shared.Queue.SuspectAsync(status.Id, _fence, cancellationToken);
        }
        catch (DatabaseUnavailableException)
        {
            // Nobody could take over either.
        }
        return false;
    }

    public void Dispose()
    {
        _source?.Dispose();
        _ticket?.Dispose();
    }

    private async ValueTask<ILiveFetch?> FindLiveAsync(CancellationToken cancellationToken) =>
        _ticket!.Status is { State: FetchState.Running } status ? await shared.Live.FindOrNullAsync(status.Id, status.Fence, status.OwnerAddress ?? "", cancellationToken) : null;

    private async ValueTask<IBlobSource?> OpenStoredAsync(CancellationToken cancellationToken)
    {
        var blob = new StoredBlob(_held!.Digest, _held.Fence, _held.Size);
        if (await shared.Store.OpenOrNullAsync(blob, cancellationToken) is { } source) return source;

        // Evicted since we looked; or vanished or damaged, and then the row must not promise it any longer.
        shared.Index.ForgetBlob(key);
        _held = null;
        if (await shared.Holdings.ForgetBlobAsync(key.Reference, blob.Fence, cancellationToken)) shared.Log.ObjectVanished(blob.Digest, blob.Fence);
        return null;
    }

    /// <summary>Starts over for an object that vanished under a reader: what was sent came from verified bytes, so another download may go on.</summary>
    private async Task<bool> RejoinAsync(CancellationToken cancellationToken)
    {
        (_ticket, _) = await shared.Gate.JoinAsync(FetchKind.Blob, upstream, key.Repository, key.Reference, null, false, cancellationToken);
        return _ticket is not null;
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
