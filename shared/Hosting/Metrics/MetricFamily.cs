using System.Collections.Concurrent;

namespace Entrepot.Hosting.Metrics;

/// <summary>
/// All series of one name. Holds at most <see cref="SeriesLimit"/>: what comes with further label sets is summed up in one more
/// series, <c>{otel_metric_overflow="true"}</c>, and counted. Thread-safe.
/// </summary>
internal sealed class MetricFamily
{
    /// <summary>More than this and a label holds something that it should not, such as a tag or a digest.</summary>
    public const int SeriesLimit = 200;

    private static readonly TagComparer Comparer = new();

    private readonly ConcurrentDictionary<KeyValuePair<string, string>[], MetricSeries> _series = new(Comparer);
    private readonly ConcurrentDictionary<KeyValuePair<string, string>[], MetricSeries>.AlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>> _lookup;
    private readonly Lazy<MetricSeries> _overflow;
    private int _count;
    private long _overflowed;

    public MetricFamily(string name, string help, MetricKind kind, bool isObservable, double[]? bounds)
    {
        (Name, Help, Kind, IsObservable, Bounds) = (name, help, kind, isObservable, bounds);
        _lookup = _series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>();
        _overflow = new(() => new MetricSeries("otel_metric_overflow=\"true\""u8.ToArray(), Bounds));
    }

    public string Name { get; }

    public string Help { get; }

    public MetricKind Kind { get; }

    public bool IsObservable { get; }

    /// <summary>The upper bounds of a histogram's buckets, ascending, without infinity.</summary>
    public double[]? Bounds { get; }

    /// <summary>How many measurements went to the overflow series.</summary>
    public long Overflowed => Interlocked.Read(ref _overflowed);

    public IEnumerable<MetricSeries> Series =>
        _series.Select(s => s.Value).Concat(_overflow.IsValueCreated ? [_overflow.Value] : []).OrderBy(s => s.Labels, LabelOrder.Instance);

    public void Record(long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long scrape)
    {
        if (Kind == MetricKind.Histogram || IsObservable)
            Record((double)value, tags, scrape);
        else
            Find(tags).Add(value);
    }

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, long scrape)
    {
        var series = Find(tags);
        if (Kind == MetricKind.Histogram && !double.IsNaN(value))
            series.Observe(value);
        else if (IsObservable)
            Observed(series, value, scrape);
        else if (Kind != MetricKind.Histogram)
            series.Add(value);
    }

    /// <summary>Sets a gauge that is not observed but told.</summary>
    public void Set(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => Find(tags).Set(value);

    // Scrapes run one at a time. Two instruments of one name, and label sets in the overflow, add up within one.
    private static void Observed(MetricSeries series, double value, long scrape)
    {
        if (series.SeenAt == scrape)
            series.Add(value);
        else
            series.Set(value);
        series.SeenAt = scrape;
    }

    private MetricSeries Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_lookup.TryGetValue(tags, out var series))
            return series;
        if (Interlocked.Increment(ref _count) > SeriesLimit)
        {
            Interlocked.Decrement(ref _count);
            Interlocked.Increment(ref _overflowed);
            return _overflow.Value;
        }

        var key = Comparer.Create(tags);
        series = new MetricSeries(LabelText.Of(key), Bounds);
        if (_series.TryAdd(key, series))
            return series;
        Interlocked.Decrement(ref _count);
        return _series[key];
    }

    private sealed class LabelOrder : IComparer<byte[]>
    {
        public static readonly LabelOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
