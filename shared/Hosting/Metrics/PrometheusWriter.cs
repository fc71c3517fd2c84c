using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Entrepot.Hosting.Metrics;

/// <summary>Writes families in Prometheus' text format, version 0.0.4. Not thread-safe.</summary>
internal sealed class PrometheusWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(32 << 10);

    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    /// <summary>Writes a family; series that their observable instrument did not report in this scrape are left out.</summary>
    public void Write(MetricFamily family, long scrape)
    {
        var head = false;
        foreach (var series in family.Series)
        {
            if (family.IsObservable && series.SeenAt != scrape)
                continue;
            if (!head)
                Head(family.Name, family.Help, family.Kind);
            head = true;
            if (family.Kind == MetricKind.Histogram)
                Histogram(family, series);
            else
                Line(family.Name, "", series.Labels, [], series.Value);
        }
    }

    public void WriteOverflows(IEnumerable<MetricFamily> families)
    {
        const string Name = "entrepot_metrics_overflow_total";
        var head = false;
        foreach (var family in families)
        {
            if (!head)
                Head(Name, "Measurements whose label sets were too many for their family; they are summed up under otel_metric_overflow", MetricKind.Counter);
            head = true;
            Line(Name, "", Encoding.UTF8.GetBytes($"metric=\"{family.Name}\""), [], family.Overflowed);
        }
    }

    private void Head(string name, string help, MetricKind kind)
    {
        if (help.Length > 0)
            Text($"# HELP {name} {LabelText.Help(help)}\n");
        Text($"# TYPE {name} {(kind switch { MetricKind.Counter => "counter", MetricKind.Gauge => "gauge", _ => "histogram" })}\n");
    }

    private void Histogram(MetricFamily family, MetricSeries series)
    {
        // The count is the sum of the buckets that were read, so that the two always agree.
        long below = 0;
        Span<byte> bound = stackalloc byte[48];
        for (var i = 0; i < family.Bounds!.Length; i++)
        {
            below += series.Bucket(i);
            "le=\""u8.CopyTo(bound);
            var length = 4 + Number(family.Bounds[i], bound[4..]);
            bound[length++] = (byte)'"';
            Line(family.Name, "_bucket", series.Labels, bound[..length], below);
        }

        below += series.Bucket(family.Bounds.Length);
        Line(family.Name, "_bucket", series.Labels, "le=\"+Inf\""u8, below);
        Line(family.Name, "_sum", series.Labels, [], series.Value);
        Line(family.Name, "_count", series.Labels, [], below);
    }

    private void Line(string name, string suffix, ReadOnlySpan<byte> labels, ReadOnlySpan<byte> bound, double value)
    {
        Text(name);
        Text(suffix);
        if (labels.Length + bound.Length > 0)
        {
            _buffer.Write("{"u8);
            _buffer.Write(labels);
            if (labels.Length > 0 && bound.Length > 0)
                _buffer.Write(","u8);
            _buffer.Write(bound);
            _buffer.Write("}"u8);
        }

        _buffer.Write(" "u8);
        Span<byte> number = stackalloc byte[40];
        _buffer.Write(number[..Number(value, number)]);
        _buffer.Write("\n"u8);
    }

    private void Text(string text) => Encoding.UTF8.GetBytes(text, _buffer);

    private static int Number(double value, Span<byte> into)
    {
        if (double.IsFinite(value))
        {
            // Whole numbers in full: 'G' would write 1E+16.
            if (Math.Abs(value) < 1L << 53 && value == Math.Truncate(value))
                return Utf8Formatter.TryFormat((long)value, into, out var whole) ? whole : 0;
            return value.TryFormat(into, out var written, default, CultureInfo.InvariantCulture) ? written : 0;
        }

        var word = double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8;
        word.CopyTo(into);
        return word.Length;
    }
}
