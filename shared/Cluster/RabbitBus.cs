using System.Net.Security;
using System.Security.Authentication;
using Entrepot.Hosting;
using MassTransit;

namespace Entrepot.Cluster;

/// <summary>The bus over RabbitMQ. Queues are bounded and drop their oldest: no message is worth more than the poll that stands in for it.</summary>
internal static class RabbitBus
{
    private const int MostMessages = 20_000, Prefetch = 64;
    private static readonly TimeSpan OwnQueueLasts = TimeSpan.FromSeconds(60);

    /// <summary>The same address as MassTransit writes it: rabbitmq for amqp, rabbitmqs for amqps.</summary>
    internal static Uri AddressOf(string url) => new($"rabbitmq{url.Trim()["amqp".Length..]}");

    public static void UseRabbit(this IBusRegistrationConfigurator bus, BusSettings settings, BusQueue queue) => bus.UsingRabbitMq((context, rabbit) =>
    {
        var address = AddressOf(settings.Url!);
        rabbit.Host(address, host =>
        {
            host.Username(settings.Username);
            host.Password(settings.Password ?? "");
            host.Heartbeat(TimeSpan.FromSeconds(10));
            // On its own it would take TLS to be meant by port 5671 only, and need not look at the certificate.
            if (address.Scheme == "rabbitmqs")
                host.UseSsl(tls =>
                {
                    (tls.Protocol, tls.ServerName) = (SslProtocols.None, address.Host);
                    tls.EnforcePolicyErrors(SslPolicyErrors.RemoteCertificateChainErrors | SslPolicyErrors.RemoteCertificateNameMismatch | SslPolicyErrors.RemoteCertificateNotAvailable);
                });
        });
        rabbit.ReceiveEndpoint(queue.Name, endpoint =>
        {
            endpoint.PrefetchCount = Prefetch;
            endpoint.SetQueueArgument("x-max-length", MostMessages);
            if (queue.MessagesLast is { } lasts) endpoint.SetQueueArgument("x-message-ttl", (int)lasts.TotalMilliseconds);
            // Durable all the same: newer brokers refuse what is neither that nor exclusive.
            if (queue.IsOwn) endpoint.QueueExpiration = OwnQueueLasts;
            // The accesses are told once, and nothing waits behind them: the database is given time. What else is received a poll, or its sender's next word, tells too, and must not hold
            // up what comes after it.
            if (!queue.IsOwn && queue.MessagesLast is null) endpoint.UseMessageRetry(retry => retry.Exponential(5, TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(1)));
            endpoint.DiscardFaultedMessages();
            endpoint.DiscardSkippedMessages();
            endpoint.ConfigureConsumers(context);
        });
    });
}
