using System.Text;

namespace Entrepot.Hosting.Metrics;

/// <summary>
/// Names as Prometheus wants them. Source: OpenTelemetry, "Prometheus and OpenMetrics compatibility": dots become underscores, the unit
/// is spelt out at the end, counters end in <c>_total</c>.
/// </summary>
internal static class MetricName
{
    private static readonly Dictionary<string, string> Units = new(StringComparer.Ordinal)
    {
        ["s"] = "seconds",
        ["ms"] = "milliseconds",
        ["us"] = "microseconds",
        ["ns"] = "nanoseconds",
        ["min"] = "minutes",
        ["h"] = "hours",
        ["d"] = "days",
        ["By"] = "bytes",
        ["KiBy"] = "kibibytes",
        ["MiBy"] = "mebibytes",
        ["GiBy"] = "gibibytes",
        ["bit"] = "bits",
        ["%"] = "percent",
        ["Cel"] = "celsius",
        ["Hz"] = "hertz",
    };

    /// <summary>The family's name.</summary>
    public static string Family(string instrument, string? unit, MetricKind kind)
    {
        var name = Clean(instrument, colon: true);
        if (kind == MetricKind.Counter && name.EndsWith("_total", StringComparison.Ordinal))
            name = name[..^6];
        var suffix = Unit(unit, kind);
        if (suffix.Length > 0 && !name.EndsWith("_" + suffix, StringComparison.Ordinal))
            name = $"{name}_{suffix}";
        return kind == MetricKind.Counter ? name + "_total" : name;
    }

    /// <summary>A label's name.</summary>
    public static string Label(string tag)
    {
        var name = Clean(tag, colon: false);

        // "le" is a histogram's own, and two leading underscores are Prometheus'.
        return name == "le" ? "le_" : name.StartsWith("__", StringComparison.Ordinal) ? "key" + name : name;
    }

    private static string Unit(string? unit, MetricKind kind)
    {
        if (string.IsNullOrEmpty(unit) || unit[0] == '{')
            return "";
        if (unit == "1")
            return kind == MetricKind.Gauge ? "ratio" : "";
        var slash = unit.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return Units.TryGetValue(unit, out var word) ? word : Clean(unit, colon: false).Trim('_');
        var (over, under) = (Unit(unit[..slash], MetricKind.Counter), Unit(unit[(slash + 1)..], MetricKind.Counter).TrimEnd('s'));
        return under.Length == 0 ? over : over.Length == 0 ? $"per_{under}" : $"{over}_per_{under}";
    }

    private static string Clean(string text, bool colon)
    {
        var name = new StringBuilder(text.Length + 1);
        foreach (var c in text)
        {
            if (char.IsAsciiLetterOrDigit(c) || c == '_' || (colon && c == ':'))
                name.Append(c);
            else if (name.Length == 0 || name[^1] != '_')
                name.Append('_');
        }

        if (name.Length == 0 || char.IsAsciiDigit(name[0]))
            name.Insert(0, '_');
        return name.ToString();
    }
}
