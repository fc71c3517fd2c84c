using System.Collections.Concurrent;
using Entrepot.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Renews all leases of this process in one statement every second; the progress goes with it. A lease that is another's now ends its work.
/// </summary>
/// <remarks>
/// While the database can't be reached the work goes on (docs/adr/0003): nobody can claim what nobody can write, and a commit asks for the
/// fence anyway. A process that itself stood still (SIGSTOP, a paused machine) for longer than a lease serves and writes nothing until the next renewal.
/// </remarks>
internal sealed class LeaseKeeper(FetchQueue queue, FetcherIdentity identity, FetcherOptions options, TimeProvider time, ILogger<LeaseKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    /// <summary>Renewed once at the start: what a renewal runs through is compiled before any lease hangs on its time.</summary>
    private static readonly LeaseProgress NobodysLease = new(Guid.Empty, 0, 0);

    private readonly ConcurrentDictionary<Guid, RunningFetch> _running = new();
    private long _lastBeat = time.GetTimestamp();

    /// <summary>What this process works on: never to be claimed by itself, however late its leases are.</summary>
    public IReadOnlyCollection<Guid> Running => [.. _running.Keys];

    /// <summary>What of it holds no slot any more.</summary>
    public IReadOnlyCollection<Guid> WithoutSlot => [.. _running.Values.Where(f => !f.HasSlot).Select(f => f.Id)];

    /// <summary>Whether this process has lived without a standstill of a lease's length: it has renewed, or tried to, since.</summary>
    public bool IsHeld() => time.GetElapsedTime(Interlocked.Read(ref _lastBeat)) < FetchTimings.Lease;

    /// <summary>Renews this fetch from now on. An older claim of the same row that still runs here ends.</summary>
    public void Add(RunningFetch fetch)
    {
        if (_running.TryGetValue(fetch.Id, out var older)) older.Lose();
        _running[fetch.Id] = fetch;
    }

    public void Remove(RunningFetch fetch) => _running.TryRemove(new KeyValuePair<Guid, RunningFetch>(fetch.Id, fetch));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Beat, time);
        await BeatAsync(() => queue.RenewAsync(identity.Owner, [NobodysLease], stoppingToken));
        for (var beat = 1L; await NextAsync(timer, stoppingToken); beat++)
        {
            await BeatAsync(async () =>
            {
                await RenewAsync(stoppingToken);
                if (beat % 5 == 0) await AbandonAsync(stoppingToken);
            });
        }
    }

    private async Task BeatAsync(Func<Task> talk)
    {
        try
        {
            await talk();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // At the start there are none.
            if (!_running.IsEmpty) log.LeasesNotRenewed(_running.Count, e.Message);
        }
        Interlocked.Exchange(ref _lastBeat, time.GetTimestamp());
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken stoppingToken)
    {
        try
        {
            return await timer.WaitForNextTickAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var mine = _running.Values.ToArray();
        if (mine.Length == 0) return;
        var held = await queue.RenewAsync(identity.Owner, [.. mine.Select(f => new LeaseProgress(f.Id, f.Fence, f.Progress))], cancellationToken);
        foreach (var fetch in mine)
        {
            if (held.Contains(fetch.Id))
            {
                fetch.Renewed();
                continue;
            }
            if (!_running.ContainsKey(fetch.Id) || !fetch.MissedTwice()) continue;
            log.LeaseLost(fetch.Id, fetch.Claim.Reference);
            fetch.Lose();
        }
    }

    /// <summary>Gives up downloads that nobody has waited for; the row decides, so somebody who joins now makes it miss.</summary>
    private async Task AbandonAsync(CancellationToken cancellationToken)
    {
        foreach (var fetch in _running.Values)
        {
            // A prefetch has nobody from the start; it ends with its manifest's layers.
            if (fetch.Claim.Prefetch || fetch.Spool is not { ReaderCount: 0 }) continue;
            if (!await queue.AbandonAsync(fetch.Id, fetch.Fence, options.AbandonAfter, cancellationToken)) continue;
            log.FetchAbandoned(fetch.Claim.Reference, fetch.Progress);
            fetch.Lose();
        }
    }
}
