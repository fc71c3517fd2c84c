namespace Entrepot.Hosting.Bus;

/// <summary>Where the outbox delivers to.</summary>
internal interface IOutboxTransport
{
    /// <summary>Whether the bus is up. A message that fails while it is has itself to blame.</summary>
    bool IsUp { get; }

    /// <summary>Delivers a message, or throws.</summary>
    Task PublishAsync(object message, Type type, CancellationToken cancellationToken);
}
