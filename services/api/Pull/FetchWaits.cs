using System.Collections.Concurrent;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// The fetches this replica waits for. Events wake a waiter at once; every 500 ms one query asks for all of them, so a lost message costs a
/// moment and never a pull. While somebody waits here the rows are kept wanted.
/// </summary>
internal sealed class FetchWaits(FetchQueue queue, TimeProvider time, ILogger<FetchWaits> log) : BackgroundService
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);
    private const int TouchEvery = 20;
    private readonly ConcurrentDictionary<Guid, FetchWait> _waits = new();

    /// <summary>How many fetches are waited for.</summary>
    public int Count => _waits.Count;

    /// <summary>Follows a fetch from the status its join returned. Dispose the wait to stop.</summary>
    public FetchWait Follow(FetchStatus status)
    {
        while (true)
        {
            var wait = _waits.GetOrAdd(status.Id, static (_, args) => new FetchWait(args.status, args.self), (status, self: this));
            if (wait.TryEnter()) return wait;
        }
    }

    /// <summary>Something happened to a fetch: whoever waits for it here reads its row again.</summary>
    public Task SignalAsync(Guid id, CancellationToken cancellationToken) =>
        _waits.ContainsKey(id) ? RefreshAsync([id], cancellationToken) : Task.CompletedTask;

    /// <summary>A fetcher has said that it runs the fetch: what the row says too.</summary>
    public void Started(Guid id, long fence, string address)
    {
        if (_waits.TryGetValue(id, out var wait) && wait.Status is { State: FetchState.Queued or FetchState.Running } status && status.Fence < fence)
            wait.Update(status with { State = FetchState.Running, Fence = fence, OwnerAddress = address });
    }

    /// <summary>A fetcher has said that the blob is stored: what the row says too, unless another has claimed it since, and then it counts for nothing.</summary>
    public void Stored(Guid id, long? fence)
    {
        if (_waits.TryGetValue(id, out var wait) && wait.Status is { State: FetchState.Queued or FetchState.Running } status)
            wait.Update(status with { State = FetchState.Done, Outcome = FetchOutcome.Stored, Fence = fence ?? status.Fence });
    }

    internal void Leave(FetchWait wait) => _waits.TryRemove(new KeyValuePair<Guid, FetchWait>(wait.Id, wait));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Poll, time);
        for (var beat = 1; await timer.WaitForNextTickAsync(stoppingToken); beat++)
        {
            Guid[] ids = [.. _waits.Keys];
            if (ids.Length == 0) continue;
            try
            {
                await RefreshAsync(ids, stoppingToken);
                if (beat % TouchEvery == 0) await queue.TouchAsync(ids, stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.PollFailed(ids.Length, e.Message);
            }
        }
    }

    private async Task RefreshAsync(Guid[] ids, CancellationToken cancellationToken)
    {
        var statuses = (await queue.ReadAsync(ids, cancellationToken)).ToDictionary(s => s.Id);
        foreach (var id in ids)
            if (_waits.TryGetValue(id, out var wait))
                wait.Update(statuses.GetValueOrDefault(id));
    }
}
