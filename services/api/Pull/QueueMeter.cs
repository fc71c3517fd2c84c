using System.Diagnostics.Metrics;
using Entrepot.Metadata;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// How long the fetch queue is: the signal to scale fetchers by, and the base of <c>Retry-After</c>. What waits longest now tells how long one
/// more will wait, whatever the fetchers are busy with.
/// </summary>
internal sealed class QueueMeter : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5), Least = TimeSpan.FromSeconds(2), Most = TimeSpan.FromSeconds(60);
    private static readonly Meter Meter = new("Entrepot.Api");

    private readonly FetchQueue _queue;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private IReadOnlyList<QueueLength> _lengths = [];

    public QueueMeter(FetchQueue queue, TimeProvider time, ILogger<QueueMeter> log)
    {
        (_queue, _time, _log) = (queue, time, log);
        Meter.CreateObservableGauge("entrepot_fetches_active", Measure, null, "Fetches that are queued or running, by kind and state");
        Meter.CreateObservableGauge("entrepot_fetch_queue_oldest_seconds", () => Oldest().TotalSeconds, "s", "How long the oldest queued fetch has waited");
    }

    /// <summary>When a client that was told to come back should: 2 to 60 s.</summary>
    public TimeSpan RetryAfter => TimeSpan.FromTicks(Math.Clamp(Oldest().Ticks, Least.Ticks, Most.Ticks));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, _time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                Volatile.Write(ref _lengths, await _queue.MeasureAsync(stoppingToken));
            }
            catch (DatabaseUnavailableException e)
            {
                _log.QueueNotMeasured(e.Message);
            }
        }
    }

    private TimeSpan Oldest() => Volatile.Read(ref _lengths).Where(l => l.State == FetchState.Queued).Select(l => l.Oldest).DefaultIfEmpty().Max();

    private IEnumerable<Measurement<long>> Measure() =>
        Volatile.Read(ref _lengths).Select(l => new Measurement<long>(l.Count, new("kind", l.Kind.ToString()), new("state", l.State.ToString())));
}
