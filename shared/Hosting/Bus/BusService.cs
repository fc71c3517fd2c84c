using MassTransit;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Hosting.Bus;

/// <summary>
/// Starts the bus once the process listens. MassTransit's own service builds the bus in its constructor, before Kestrel may listen, and
/// can only be told not to wait for the connection.
/// </summary>
internal sealed partial class BusService(
    IServiceProvider services, BusTransport transport, IHostApplicationLifetime application, TimeProvider time, ILogger<BusService> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private IBusDepot? _depot;

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        if (_depot is not null)
            await _depot.Stop(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // A listening process has its turn first.
        var listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (application.ApplicationStarted.Register(listening.SetResult))
            await listening.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (stoppingToken.IsCancellationRequested)
            return;
        _depot = services.GetRequiredService<IBusDepot>();
        transport.Use(services.GetRequiredService<IBusControl>());
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await _depot.Start(stoppingToken);
                return;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                NotStarted(logger, e, Pause);
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    [LoggerMessage(9030, LogLevel.Warning, "The bus did not start; everything works by polling meanwhile, next try in {Pause}")]
    private static partial void NotStarted(ILogger logger, Exception exception, TimeSpan pause);
}
