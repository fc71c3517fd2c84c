using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Entrepot.Hosting.Metrics;

/// <summary>
/// What <c>/metrics</c> tells: everything that this host's meters measure from <see cref="Start"/> on. Measurements are lock-free;
/// scrapes run one at a time and ask the observable instruments.
/// </summary>
internal sealed partial class MetricsRegistry : IDisposable
{
    private static readonly string[] Meters =
        ["System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Net.Http", "MassTransit"];

    private readonly ConcurrentDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly IMeterFactory _meters;
    private readonly ILogger _logger;
    private readonly Lock _scraping = new();
    private long _scrape;

    public MetricsRegistry(IMeterFactory meters, ILogger<MetricsRegistry> logger)
    {
        (_meters, _logger) = (meters, logger);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (Listens(instrument.Meter) && FamilyOrNull(instrument) is { } family)
                listener.EnableMeasurementEvents(instrument, family);
        };
        _listener.SetMeasurementEventCallback<byte>((i, value, tags, family) => Record(i, (long)value, tags, family));
        _listener.SetMeasurementEventCallback<short>((i, value, tags, family) => Record(i, (long)value, tags, family));
        _listener.SetMeasurementEventCallback<int>((i, value, tags, family) => Record(i, (long)value, tags, family));
        _listener.SetMeasurementEventCallback<long>(Record);
        _listener.SetMeasurementEventCallback<float>((i, value, tags, family) => Record(i, (double)value, tags, family));
        _listener.SetMeasurementEventCallback<double>(Record);
        _listener.SetMeasurementEventCallback<decimal>((i, value, tags, family) => Record(i, (double)value, tags, family));
    }

    /// <summary>Begins to listen. Called once.</summary>
    public void Start() => _listener.Start();

    /// <summary>All families in the text format, version 0.0.4.</summary>
    public ReadOnlyMemory<byte> Scrape()
    {
        lock (_scraping)
        {
            _scrape++;
            try
            {
                _listener.RecordObservableInstruments();
            }
            catch (Exception e)
            {
                // It has asked all others all the same.
                CallbackFailed(_logger, e);
            }

            var writer = new PrometheusWriter();
            foreach (var family in _families.Values.OrderBy(f => f.Name, StringComparer.Ordinal))
                writer.Write(family, _scrape);
            writer.WriteOverflows(_families.Values.Where(f => f.Overflowed > 0).OrderBy(f => f.Name, StringComparer.Ordinal));
            return writer.Written;
        }
    }

    public void Dispose() => _listener.Dispose();

    // A meter of another host in the same process is that one's business.
    private bool Listens(Meter meter) =>
        (meter.Scope is not IMeterFactory || ReferenceEquals(meter.Scope, _meters))
        && (meter.Name.StartsWith("Entrepot.", StringComparison.Ordinal) || Meters.Contains(meter.Name, StringComparer.Ordinal));

    private MetricFamily? FamilyOrNull(Instrument instrument)
    {
        var type = instrument.GetType();
        var generic = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        var kind = generic == typeof(Histogram<>) ? MetricKind.Histogram
            : generic == typeof(Counter<>) || generic == typeof(ObservableCounter<>) ? MetricKind.Counter
            : MetricKind.Gauge;
        var name = MetricName.Family(instrument.Name, instrument.Unit, kind);
        var family = _families.GetOrAdd(name, n => new MetricFamily(
            n, instrument.Description ?? "", kind, instrument.IsObservable, kind == MetricKind.Histogram ? DefaultBuckets.Of(instrument) : null));
        if (family.Kind == kind && family.IsObservable == instrument.IsObservable)
            return family;
        NameTaken(_logger, instrument.Name, instrument.Meter.Name, name);
        return null;
    }

    private void Record(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? family)
    {
        if (instrument is Gauge<long> or Gauge<int> or Gauge<short> or Gauge<byte>)
            ((MetricFamily)family!).Set(value, tags);
        else
            ((MetricFamily)family!).Record(value, tags, _scrape);
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? family)
    {
        if (instrument is Gauge<double> or Gauge<float> or Gauge<decimal>)
            ((MetricFamily)family!).Set(value, tags);
        else
            ((MetricFamily)family!).Record(value, tags, _scrape);
    }

    [LoggerMessage(9020, LogLevel.Warning, "Instrument {Instrument} of meter {Meter} is not shown: {Family} is already of another kind")]
    private static partial void NameTaken(ILogger logger, string instrument, string meter, string family);

    [LoggerMessage(9021, LogLevel.Warning, "An observable instrument threw")]
    private static partial void CallbackFailed(ILogger logger, Exception exception);
}
