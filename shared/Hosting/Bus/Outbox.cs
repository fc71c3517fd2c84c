using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Threading.Channels;

namespace Entrepot.Hosting;

/// <summary>
/// Everything that is published goes through here, so that nobody ever waits for a broker. Bounded: when it is full the oldest message
/// is dropped and counted, which costs its receivers a moment (they poll) and never a pull. Order is kept, delivery is at most a few
/// milliseconds later while the bus is up. Thread-safe.
/// </summary>
public sealed class Outbox
{
    /// <summary>How many messages may wait, when nothing else is said.</summary>
    public const int DefaultCapacity = 8192;

    private readonly Channel<Entry> _waiting;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _published;

    /// <summary>Makes an outbox. Without the pump that <see cref="PlatformBus.AddPlatformBus"/> adds, messages only wait in it.</summary>
    public Outbox(IMeterFactory meters, int capacity = DefaultCapacity)
    {
        ArgumentNullException.ThrowIfNull(meters);
        var meter = meters.Create("Entrepot.Hosting");
        _dropped = meter.CreateCounter<long>("entrepot.outbox.dropped", "{message}", "Messages dropped because the outbox was full or stopped, or because they cannot be published");
        _published = meter.CreateCounter<long>("entrepot.outbox.published", "{message}", "Messages given to the bus");
        _waiting = Channel.CreateBounded<Entry>(
            new BoundedChannelOptions(capacity) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true }, _ => Dropped("full"));
        meter.CreateObservableUpDownCounter("entrepot.outbox.waiting", () => _waiting.Reader.Count, "{message}", "Messages that wait for the bus");
    }

    /// <summary>Hands a message over. Never waits, never throws; carries the current trace along.</summary>
    public void Publish<T>(T message) where T : class
    {
        if (message is null || !_waiting.Writer.TryWrite(new(message, typeof(T), Activity.Current?.Context ?? default)))
            Dropped("stopped");
    }

    internal ChannelReader<Entry> Waiting => _waiting.Reader;

    internal void Stop() => _waiting.Writer.TryComplete();

    internal void Dropped(string why) => _dropped.Add(1, new KeyValuePair<string, object?>("reason", why));

    internal void Published() => _published.Add(1);

    internal readonly record struct Entry(object Message, Type Type, ActivityContext Trace);
}
