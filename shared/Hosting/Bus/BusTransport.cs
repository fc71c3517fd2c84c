using MassTransit;

namespace Entrepot.Hosting.Bus;

/// <summary>The bus of this process. Asked for only in the background: making it costs a few hundred milliseconds of start-up.</summary>
internal sealed class BusTransport(IServiceProvider services) : IOutboxTransport
{
    private readonly Lazy<IBusControl> _bus = new(() => services.GetRequiredService<IBusControl>());

    public bool IsUp => _bus.IsValueCreated && _bus.Value.CheckHealth().Status == BusHealthStatus.Healthy;

    public Task PublishAsync(object message, Type type, CancellationToken cancellationToken) => _bus.Value.Publish(message, type, cancellationToken);
}
