using System.Diagnostics.Metrics;

namespace Entrepot.Hosting.Metrics;

/// <summary>The bounds of a histogram's buckets: the instrument's advice, else what suits its unit.</summary>
internal static class DefaultBuckets
{
    private static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
    private static readonly double[] Bytes = [.. Enumerable.Range(5, 13).Select(i => Math.Pow(4, i))]; // 1 KiB to 16 GiB
    private static readonly double[] Plain = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000, 1_000_000];

    public static double[] Of(Instrument instrument)
    {
        var advised = instrument switch
        {
            Histogram<double> h => h.Advice?.HistogramBucketBoundaries?.ToArray(),
            Histogram<long> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray(),
            Histogram<int> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray(),
            Histogram<float> h => h.Advice?.HistogramBucketBoundaries?.Select(b => (double)b).ToArray(),
            _ => null,
        };
        if (advised is { Length: > 0 })
            return advised;
        return instrument.Unit switch
        {
            "s" => Seconds,
            "ms" => [.. Seconds.Select(s => s * 1000)],
            "By" => Bytes,
            _ => Plain,
        };
    }
}
