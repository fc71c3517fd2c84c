using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Entrepot.Contracts;
using Entrepot.Hosting.Bus;
using Entrepot.Hosting;
using Entrepot.TestSupport.Running;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class OutboxFacts : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counted = new();

    public OutboxFacts()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, meters) && !instrument.IsObservable)
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
            _counted.AddOrUpdate(tags.Length == 0 ? instrument.Name : (string)tags[0].Value!, value, (_, sum) => sum + value));
        _listener.Start();
    }

    public void Dispose()
    {
        _listener.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task What_is_published_reaches_its_consumer_in_order()
    {
        var consumed = new ConcurrentQueue<Guid>();
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton(consumed).AddPlatformBus(b => b.AddConsumer<CollectingConsumer>(c => c.ConcurrentMessageLimit = 1)));
        var ids = Enumerable.Range(0, 50).Select(_ => Guid.NewGuid()).ToList();
        foreach (var id in ids)
            host.App.Services.GetRequiredService<Outbox>().Publish(new FetchRequested { FetchId = id, Kind = "Blob" });
        await Eventually.Async(() => consumed.Count == 50, TimeSpan.FromSeconds(15), "all to be consumed");
        Assert.Equal(ids.Order(), consumed.Order());
        using var client = new HttpClient { BaseAddress = host.Address };
        var metrics = await client.GetStringAsync("/metrics");
        Assert.Contains("entrepot_outbox_published_total 50\n", metrics, StringComparison.Ordinal);
        Assert.Contains("entrepot_outbox_waiting 0\n", metrics, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_was_published_before_the_bus_was_up_is_delivered_and_after_the_stop_nobody_is_hurt()
    {
        var consumed = new ConcurrentQueue<Guid>();
        var early = Guid.NewGuid();
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton(consumed).AddPlatformBus(b => b.AddConsumer<CollectingConsumer>()).AddHostedService(p => new EarlyBird(p.GetRequiredService<Outbox>(), early)));
        await Eventually.Async(() => consumed.Contains(early), TimeSpan.FromSeconds(15), "the early one to be consumed");
        await host.App.StopAsync();
        host.App.Services.GetRequiredService<Outbox>().Publish(new FetchRequested { FetchId = Guid.NewGuid(), Kind = "Blob" });
        Assert.Equal([early], consumed);
    }

    [Fact]
    public async Task What_was_published_just_before_the_stop_is_given_to_the_bus()
    {
        var outbox = new Outbox(_services.GetRequiredService<IMeterFactory>());
        var transport = new Transport();
        using var pump = await StartAsync(outbox, transport);
        for (var i = 0; i < 100; i++)
            outbox.Publish(i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await pump.StopAsync(CancellationToken.None);
        Assert.Equal(100, transport.Published.Count);
    }

    [Fact]
    public async Task When_full_the_oldest_is_dropped_and_counted()
    {
        var outbox = new Outbox(_services.GetRequiredService<IMeterFactory>(), capacity: 3);
        for (var i = 0; i < 5; i++)
            outbox.Publish(i.ToString(System.Globalization.CultureInfo.InvariantCulture));
        var transport = new Transport();
        using var pump = await StartAsync(outbox, transport);
        await Eventually.Async(() => transport.Published.Count == 3, TimeSpan.FromSeconds(15), "what is left to be published");
        await pump.StopAsync(CancellationToken.None);
        outbox.Publish("late");
        Assert.Equal(["2", "3", "4"], transport.Published);
        Assert.Equal((2, 1, 3), (_counted["full"], _counted["stopped"], _counted["entrepot.outbox.published"]));
    }

    [Fact]
    public async Task While_the_bus_is_down_nothing_is_lost_but_what_no_longer_fits_and_nobody_waits()
    {
        var outbox = new Outbox(_services.GetRequiredService<IMeterFactory>(), capacity: 10);
        var transport = new Transport();
        using var pump = await StartAsync(outbox, transport);
        outbox.Publish("zeroth");
        await Eventually.Async(() => transport.Published.Count == 1, TimeSpan.FromSeconds(15), "it to be published while the bus is up");
        transport.IsUp = false;
        outbox.Publish("first");
        await Eventually.Async(() => transport.Asked > 3, TimeSpan.FromSeconds(15), "it to be tried again and again");
        for (var i = 0; i < 15; i++)
            outbox.Publish($"m{i}");
        transport.IsUp = true;
        await Eventually.Async(() => transport.Published.Count == 12, TimeSpan.FromSeconds(15), "all that fits to be published");
        Assert.Equal(["zeroth", "first", .. Enumerable.Range(5, 10).Select(i => $"m{i}")], transport.Published);
        Assert.Equal(5, _counted["full"]);
        await pump.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_broken_message_is_dropped_and_stops_no_other()
    {
        var outbox = new Outbox(_services.GetRequiredService<IMeterFactory>());
        var transport = new Transport();
        using var pump = await StartAsync(outbox, transport);
        outbox.Publish("broken");
        outbox.Publish("good");
        await Eventually.Async(() => transport.Published.Contains("good"), TimeSpan.FromSeconds(15), "the good one to be published");
        Assert.Equal(["good"], transport.Published);
        Assert.Equal(1, _counted["broken"]);
        await pump.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_message_that_no_JSON_can_hold_does_not_stop_the_real_bus()
    {
        var consumed = new ConcurrentQueue<Guid>();
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton(consumed).AddPlatformBus(b => b.AddConsumer<CollectingConsumer>()));
        var outbox = host.App.Services.GetRequiredService<Outbox>();
        outbox.Publish(new Unserializable());
        outbox.Publish(new FetchRequested { FetchId = Guid.NewGuid(), Kind = "Blob" });
        await Eventually.Async(() => consumed.Count == 1, TimeSpan.FromSeconds(15), "the next one to be consumed");
    }

    [Fact]
    public async Task A_host_listens_and_is_ready_while_its_bus_is_still_being_built()
    {
        using var mayBuild = new ManualResetEventSlim();
        var building = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton(new ConcurrentQueue<Guid>()).AddPlatformBus(b =>
        {
            b.AddConsumer<CollectingConsumer>();
            b.AddConfigureEndpointsCallback((_, _, _) =>
            {
                building.TrySetResult();
                mayBuild.Wait(TimeSpan.FromSeconds(20));
            });
        }));
        await building.Task.WaitAsync(TimeSpan.FromSeconds(15));
        using var client = new HttpClient { BaseAddress = host.Address };
        Assert.Equal("{\"status\":\"ok\",\"parts\":{}}", await client.GetStringAsync("/readyz"));
        mayBuild.Set();
    }

    private static async Task<OutboxPump> StartAsync(Outbox outbox, Transport transport)
    {
        var pump = new OutboxPump(outbox, transport, TimeProvider.System, NullLogger<OutboxPump>.Instance);
        await pump.StartAsync(CancellationToken.None);
        return pump;
    }

    internal sealed class CollectingConsumer(ConcurrentQueue<Guid> consumed) : IConsumer<FetchRequested>
    {
        public Task Consume(ConsumeContext<FetchRequested> context)
        {
            consumed.Enqueue(context.Message.FetchId);
            return Task.CompletedTask;
        }
    }

    internal sealed class Unserializable
    {
        public Unserializable Itself => this;
    }

    private sealed class EarlyBird(Outbox outbox, Guid id) : Microsoft.Extensions.Hosting.IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            outbox.Publish(new FetchRequested { FetchId = id, Kind = "Blob" });
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    /// <summary>A bus that can be down: what the in-memory one never is.</summary>
    private sealed class Transport : IOutboxTransport
    {
        private int _asked;
        private bool _isUp = true;

        public ConcurrentQueue<string> Published { get; } = new();

        public int Asked => _asked;

        public bool IsUp
        {
            get
            {
                Interlocked.Increment(ref _asked);
                return _isUp;
            }
            set => _isUp = value;
        }

        public Task PublishAsync(object message, Type type, CancellationToken cancellationToken)
        {
            if (!_isUp || (string)message == "broken")
                throw new InvalidOperationException("refused");
            Published.Enqueue((string)message);
            return Task.CompletedTask;
        }
    }
}
