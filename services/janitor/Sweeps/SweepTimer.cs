using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Janitor.Sweeps;

/// <summary>Runs the sweeps one after another, at the start and then at their intervals. One that fails is tried again next time.</summary>
internal sealed class SweepTimer(EvictionSweep eviction, FetchSweep fetches, OrphanSweep orphans, JanitorOptions options, TimeProvider time, ILogger<SweepTimer> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        long? listedAt = null;
        do
        {
            foreach (var sweep in (Func<CancellationToken, Task>[])[fetches.RunAsync, eviction.RunAsync, orphans.RunAsync]) await TryAsync(sweep, stoppingToken);
            if (listedAt is { } last && time.GetElapsedTime(last) < options.OrphanInterval) continue;
            if (await TryAsync(orphans.ListAsync, stoppingToken)) listedAt = time.GetTimestamp();
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<bool> TryAsync(Func<CancellationToken, Task> sweep, CancellationToken cancellationToken)
    {
        try
        {
            await sweep(cancellationToken);
            return true;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            log.SweepFailed(e.Message);
            return false;
        }
    }
}
