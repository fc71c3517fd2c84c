using System.Collections.Concurrent;
using System.Diagnostics;
using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Upstreams;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Claims fetch rows and works on them, as many at a time as there are slots: when the doorbell rings, when a slot becomes free, and every second.
/// Half of the slots are kept for small fetches, so that a few big downloads never make a manifest wait. What only has to be stored any more holds none.
/// </summary>
internal sealed class FetchPool(
    FetchQueue queue, UpstreamCatalog catalog, IEnumerable<IFetchWork> works, LeaseKeeper leases, Doorbell doorbell, FetcherIdentity identity,
    FetcherOptions options, FetcherMetrics metrics, Draining draining, Outbox outbox, ILogger<FetchPool> log) : BackgroundService
{
    private static readonly TimeSpan IdlePoll = TimeSpan.FromSeconds(1), OwnersFirst = TimeSpan.FromSeconds(4);
    private readonly Dictionary<FetchKind, IFetchWork> _works = works.ToDictionary(w => w.Kind);
    private readonly ConcurrentDictionary<Task, byte> _tasks = new();
    private int _big, _small, _prefetches;
    private volatile bool _isHeldBack;
    private long _databaseFailedAt;

    /// <summary>An eighth of the slots is kept from each upstream, for the others: one that hangs holds what it has for long.</summary>
    private readonly int _mostOfOneUpstream = catalog.All.Count > 1 ? options.Slots - Math.Max(1, options.Slots / 8) : options.Slots;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Claiming must not delay the start of what comes after this service.
        await Task.Yield();
        // Where others can claim in its stead, a process that is told to stop claims nothing new. What it has goes on while it is read, for the grace period.
        using var claiming = identity.Address.Length > 0
            ? CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, draining.Begun) : CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        // Who claimed at this address before is dead, but nobody would suspect it: whoever asks there is answered, by us, that we do not have it.
        var mayHaveLeftovers = identity.Address.Length > 0;
        // Both are asked: what waits for the stopping token runs on inside the call that cancels it, before the linked source hears of it.
        bool IsOver() => stoppingToken.IsCancellationRequested || claiming.IsCancellationRequested;
        while (!IsOver())
        {
            try
            {
                if (mayHaveLeftovers) await queue.ReclaimAsync(identity.Address, stoppingToken);
                mayHaveLeftovers = false;
                if (await ClaimOneAsync(stoppingToken)) continue;
                await doorbell.WaitAsync(IdlePoll, claiming.Token);
            }
            catch (OperationCanceledException) when (IsOver())
            {
                break;
            }
            catch (Exception e)
            {
                log.ClaimFailed(e.Message);
                _databaseFailedAt = Stopwatch.GetTimestamp();
                await Task.Delay(IdlePoll, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await Task.WhenAll(_tasks.Keys);
    }

    /// <summary>Starts one, if there is one; false when another look would find nothing.</summary>
    private async Task<bool> ClaimOneAsync(CancellationToken stoppingToken)
    {
        // Said before the slots are counted: one that becomes free meanwhile rings.
        _isHeldBack = true;
        Interlocked.MemoryBarrier();
        var bigIsFull = Volatile.Read(ref _big) >= options.Slots / 2;
        var running = Volatile.Read(ref _big) + Volatile.Read(ref _small);
        if (running >= options.Slots) return false;
        var allowPrefetch = Volatile.Read(ref _prefetches) < options.PrefetchConcurrency;
        if (!bigIsFull && allowPrefetch && running < _mostOfOneUpstream) _isHeldBack = false;
        var claim = await queue.ClaimAsync(
            new ClaimOptions
            {
                Owner = identity.Owner,
                Address = identity.Address,
                SmallOnly = bigIsFull,
                AllowPrefetch = allowPrefetch,
                MostOfOneUpstream = _mostOfOneUpstream,
                // Whose leases ran out while the database was away renew them first.
                OnlyQueued = _databaseFailedAt != 0 && Stopwatch.GetElapsedTime(_databaseFailedAt) < OwnersFirst,
                Running = leases.Running,
                WithoutSlot = leases.WithoutSlot,
            },
            stoppingToken);
        if (claim is null) return false;
        // Never awaited here: a slot each.
        TakeSlot(claim);
        var task = RunAsync(claim, stoppingToken);
        _tasks.TryAdd(task, 0);
        _ = task.ContinueWith(t => _tasks.TryRemove(t, out _), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return claim.MayBeMore;
    }

    private void TakeSlot(ClaimedFetch claim)
    {
        Interlocked.Increment(ref IsSmall(claim) ? ref _small : ref _big);
        if (claim.Prefetch) Interlocked.Increment(ref _prefetches);
    }

    private void FreeSlot(ClaimedFetch claim)
    {
        if (claim.Prefetch) Interlocked.Decrement(ref _prefetches);
        Interlocked.Decrement(ref IsSmall(claim) ? ref _small : ref _big);
        // What could be claimed was claimed, unless it had to wait for a slot.
        if (_isHeldBack) doorbell.Ring();
    }

    /// <summary>What a slot kept for small fetches may run, the same rule as <see cref="ClaimOptions.SmallOnly"/>.</summary>
    private static bool IsSmall(ClaimedFetch claim) => claim.Kind != FetchKind.Blob || (claim.Size ?? claim.ExpectedSize) < FetchTimings.SmallBlobBytes;

    private async Task RunAsync(ClaimedFetch claim, CancellationToken stoppingToken)
    {
        using var fetch = new RunningFetch(claim, leases.IsHeld, () => FreeSlot(claim));
        // Where there are others, one of them brings the blob that nobody can come to read here any more.
        var closed = claim.Kind == FetchKind.Blob && identity.Address.Length > 0 ? draining.Closed : CancellationToken.None;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(fetch.Lost, stoppingToken, closed);
        // Before the next claim is made: what is missing among those that run is claimed again.
        leases.Add(fetch);
        await Task.Yield();
        using var trace = FetchTrace.Begin(claim);
        var started = Stopwatch.GetTimestamp();
        try
        {
            await _works[claim.Kind].RunAsync(fetch, ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Another owner's now, abandoned, or this process stops: then the row goes back to the queue with what is done.
            if (!fetch.Lost.IsCancellationRequested) await ReleaseAsync(claim, TimeSpan.Zero);
        }
        catch (DatabaseUnavailableException e)
        {
            // Says nothing about the upstream: it is tried again, by whoever comes first.
            log.FetchFailed(claim.Kind, claim.Reference, e.Message);
            await ReleaseAsync(claim, IdlePoll);
        }
        catch (Exception e)
        {
            await FailAsync(claim, e);
        }
        finally
        {
            leases.Remove(fetch);
            metrics.Fetched(claim.Kind, Stopwatch.GetElapsedTime(started));
            fetch.FreeSlot();
        }
    }

    /// <summary>An error that is nobody's answer: the waiters get it as an outage, and its retry window keeps it from being tried in a loop.</summary>
    private async Task FailAsync(ClaimedFetch claim, Exception error)
    {
        if (error is IOException) log.FetchFailed(claim.Kind, claim.Reference, error.Message);
        else log.FetchBroke(claim.Kind, claim.Reference, error);
        try
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await queue.SettleAllAsync(claim.Id, claim.Fence, FetchOutcome.Unavailable, "the fetcher failed; its log says more", soon.Token);
            doorbell.Ring();
        }
        catch (Exception e)
        {
            log.ClaimFailed(e.Message);
        }
    }

    private async Task ReleaseAsync(ClaimedFetch claim, TimeSpan notBefore)
    {
        try
        {
            using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            await queue.ReleaseAsync(claim.Id, claim.Fence, notBefore, soon.Token);
            if (identity.Address.Length > 0) outbox.Publish(new FetchRequested { FetchId = claim.Id, Kind = claim.Kind.ToString() });
        }
        catch (Exception e)
        {
            // Found at a later claim, or when its lease has ended.
            log.ClaimFailed(e.Message);
        }
    }
}
