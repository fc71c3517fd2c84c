namespace Entrepot.Hosting.Metrics;

/// <summary>
/// The values of one label set. Updates are lock-free and come from any thread; a scrape beside them sees each value whole, and sum and
/// buckets of a histogram at most one measurement apart.
/// </summary>
internal sealed class MetricSeries(byte[] labels, double[]? bounds)
{
    private readonly long[] _buckets = bounds is null ? [] : new long[bounds.Length + 1];
    private long _whole;
    private double _fraction;

    /// <summary>The labels as text, <c>a="b",c="d"</c>.</summary>
    public byte[] Labels { get; } = labels;

    /// <summary>The last scrape in which an observable instrument reported this series.</summary>
    public long SeenAt { get; set; }

    /// <summary>A counter's or gauge's value, or a histogram's sum.</summary>
    public double Value => Interlocked.Read(ref _whole) + Volatile.Read(ref _fraction);

    public long Bucket(int index) => Interlocked.Read(ref _buckets[index]);

    public void Add(long amount) => Interlocked.Add(ref _whole, amount);

    public void Add(double amount)
    {
        var seen = Volatile.Read(ref _fraction);
        for (; ; )
        {
            var now = Interlocked.CompareExchange(ref _fraction, seen + amount, seen);

            // By bits: NaN is unequal to itself and would be tried for ever.
            if (BitConverter.DoubleToInt64Bits(now) == BitConverter.DoubleToInt64Bits(seen))
                return;
            seen = now;
        }
    }

    public void Set(double value) => Volatile.Write(ref _fraction, value);

    public void Observe(double value)
    {
        var bucket = Array.BinarySearch(bounds!, value);
        Interlocked.Increment(ref _buckets[bucket < 0 ? ~bucket : bucket]);
        Add(value);
    }
}
