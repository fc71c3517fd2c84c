using System.Diagnostics;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Hosting.Bus;

/// <summary>
/// Publishes what waits in the outbox, one after the other. While the bus is down the oldest message is tried again, and the outbox
/// drops what no longer fits; while it is up a message that fails three times is dropped, so that a broken one stops nothing.
/// </summary>
internal sealed partial class OutboxPump(Outbox outbox, IOutboxTransport transport, TimeProvider time, ILogger<OutboxPump> logger) : BackgroundService
{
    private const int TriesWhileUp = 3;

    private static readonly ActivitySource Source = new("Entrepot.Hosting");
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan TryLimit = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(1);

    // Asked only until it is, and after a failure: it costs more than a publish.
    private bool _isUp;

    /// <summary>Publishes what still waits, for a second at most.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        outbox.Stop();
        if (ExecuteTask is { } running)
            await running.WaitAsync(FlushLimit, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await base.StopAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await foreach (var entry in outbox.Waiting.ReadAllAsync(stoppingToken))
                await DeliverAsync(entry, stoppingToken);
        }
        catch (Exception) when (stoppingToken.IsCancellationRequested)
        {
            // What still waits is lost with the process; its receivers poll.
        }
    }

    private async Task DeliverAsync(Outbox.Entry entry, CancellationToken stoppingToken)
    {
        using var activity = entry.Trace == default ? null : Source.StartActivity("outbox publish", ActivityKind.Producer, entry.Trace);
        var pause = FirstPause;
        for (var triesWhileUp = 0; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (_isUp || (_isUp = transport.IsUp))
            {
                if (await TryAsync(entry, stoppingToken) is not { } failure)
                    return;
                _isUp = transport.IsUp;
                if (_isUp && ++triesWhileUp == TriesWhileUp)
                {
                    Broken(logger, failure, entry.Type.Name);
                    outbox.Dropped("broken");
                    return;
                }

                if (pause == FirstPause)
                    TryingAgain(logger, failure, entry.Type.Name);
            }

            await Task.Delay(pause, time, stoppingToken);
        }
    }

    private async Task<Exception?> TryAsync(Outbox.Entry entry, CancellationToken stoppingToken)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
            limit.CancelAfter(TryLimit);
            await transport.PublishAsync(entry.Message, entry.Type, limit.Token);
            outbox.Published();
            return null;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            return e;
        }
    }

    [LoggerMessage(9031, LogLevel.Warning, "A {Message} could not be published; it is tried again")]
    private static partial void TryingAgain(ILogger logger, Exception exception, string message);

    [LoggerMessage(9032, LogLevel.Error, "A {Message} was dropped: it cannot be published though the bus is up")]
    private static partial void Broken(ILogger logger, Exception exception, string message);
}
