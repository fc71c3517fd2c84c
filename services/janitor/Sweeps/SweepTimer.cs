using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Janitor.Sweeps;

/// <summary>Runs the sweeps one after another, at the start and then at every interval. One that fails is tried again next time.</summary>
internal sealed class SweepTimer(EvictionSweep eviction, FetchSweep fetches, OrphanSweep orphans, JanitorOptions options, TimeProvider time, ILogger<SweepTimer> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.SweepInterval, time);
        do
        {
            foreach (var sweep in (Func<CancellationToken, Task>[])[fetches.RunAsync, eviction.RunAsync, orphans.RunAsync])
            {
                try
                {
                    await sweep(stoppingToken);
                }
                catch (Exception e) when (e is not OperationCanceledException)
                {
                    log.SweepFailed(e.Message);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
