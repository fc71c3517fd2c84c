using Entrepot.Hosting;
using MassTransit;

namespace Entrepot.Cluster;

/// <summary>The bus over RabbitMQ. Queues are bounded and drop their oldest: no message is worth more than the poll that stands in for it.</summary>
internal static class RabbitBus
{
    private const int MostMessages = 20_000, Prefetch = 64;
    private static readonly TimeSpan OwnQueueLasts = TimeSpan.FromSeconds(60);

    public static void UseRabbit(this IBusRegistrationConfigurator bus, BusSettings settings, BusQueue queue) => bus.UsingRabbitMq((context, rabbit) =>
    {
        rabbit.Host(new Uri(settings.Url!.Replace("amqp", "rabbitmq", StringComparison.Ordinal)), host =>
        {
            host.Username(settings.Username);
            host.Password(settings.Password ?? "");
            host.Heartbeat(TimeSpan.FromSeconds(10));
        });
        rabbit.ReceiveEndpoint(queue.Name, endpoint =>
        {
            endpoint.PrefetchCount = Prefetch;
            endpoint.SetQueueArgument("x-max-length", MostMessages);
            if (queue.MessagesLast is { } lasts) endpoint.SetQueueArgument("x-message-ttl", (int)lasts.TotalMilliseconds);
            // Durable all the same: newer brokers refuse what is neither that nor exclusive.
            if (queue.IsOwn) endpoint.QueueExpiration = OwnQueueLasts;
            // What a consumer cannot do now it can do a moment later; after that its sender's next word, or a poll, tells the same.
            endpoint.UseMessageRetry(retry => retry.Exponential(5, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1)));
            endpoint.DiscardFaultedMessages();
            endpoint.DiscardSkippedMessages();
            endpoint.ConfigureConsumers(context);
        });
    });
}
