using MassTransit;

namespace Entrepot.Hosting.Bus;

/// <summary>The bus of this process, once <see cref="BusService"/> has built it. Thread-safe.</summary>
internal sealed class BusTransport : IOutboxTransport
{
    private volatile IBusControl? _bus;

    /// <summary>Healthy means that every consumer's endpoint is bound: what is published before that reaches nobody.</summary>
    public bool IsUp => _bus?.CheckHealth().Status == BusHealthStatus.Healthy;

    public Task PublishAsync(object message, Type type, CancellationToken cancellationToken) =>
        _bus?.Publish(message, type, cancellationToken) ?? throw new InvalidOperationException("the bus is not built yet");

    public void Use(IBusControl bus) => _bus = bus;
}
