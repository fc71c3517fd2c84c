using Entrepot.Contracts;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Entrepot.TestSupport.Product;

/// <summary>Counts the messages of ours that go over the broker, as one more subscriber to all of them.</summary>
public sealed class BusMeter : IAsyncDisposable
{
    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private int _count;

    private BusMeter(IConnection connection, IChannel channel) => (_connection, _channel) = (connection, channel);

    /// <summary>How many came so far.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>Begins to count what the broker carries by then: a message has an exchange once anybody has sent or consumed one.</summary>
    /// <exception cref="InvalidOperationException">The broker has an exchange of none of our messages: nothing would ever be counted.</exception>
    public static async Task<BusMeter> StartNewAsync(Uri broker, CancellationToken cancellationToken = default)
    {
        var connection = await new ConnectionFactory { Uri = broker }.CreateConnectionAsync(cancellationToken);
        var meter = new BusMeter(connection, await connection.CreateChannelAsync(cancellationToken: cancellationToken));
        var bound = 0;
        var queue = await meter._channel.QueueDeclareAsync(cancellationToken: cancellationToken);
        foreach (var message in typeof(FetchRequested).Assembly.GetExportedTypes().Where(t => t is { IsClass: true, IsSealed: true, IsAbstract: false }))
        {
            // Messages are the records that have an exchange.
            var exchange = $"{message.Namespace}:{message.Name}";
            await using var probe = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            try
            {
                await probe.ExchangeDeclarePassiveAsync(exchange, cancellationToken);
            }
            catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
            {
                continue;
            }
            await meter._channel.QueueBindAsync(queue.QueueName, exchange, "", cancellationToken: cancellationToken);
            bound++;
        }
        if (bound == 0)
        {
            await meter.DisposeAsync();
            throw new InvalidOperationException($"{broker} has an exchange of none of our messages.");
        }
        var consumer = new AsyncEventingBasicConsumer(meter._channel);
        consumer.ReceivedAsync += (_, _) =>
        {
            Interlocked.Increment(ref meter._count);
            return Task.CompletedTask;
        };
        await meter._channel.BasicConsumeAsync(queue.QueueName, autoAck: true, consumer, cancellationToken);
        return meter;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }
}
