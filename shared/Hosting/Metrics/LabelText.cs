using System.Text;

namespace Entrepot.Hosting.Metrics;

/// <summary>Text as the exposition format escapes it. Source: Prometheus, "Text-based format", version 0.0.4.</summary>
internal static class LabelText
{
    /// <summary><c>a="b",c="d"</c>. Tags whose label names come out the same are joined by a semicolon, since a name may stand only once.</summary>
    public static byte[] Of(IReadOnlyList<KeyValuePair<string, string>> tags)
    {
        var labels = tags.GroupBy(t => MetricName.Label(t.Key), t => t.Value, StringComparer.Ordinal)
            .Select(l => $"{l.Key}=\"{Value(string.Join(';', l.Distinct(StringComparer.Ordinal)))}\"");
        return Encoding.UTF8.GetBytes(string.Join(',', labels));
    }

    public static string Value(string text) => Help(text).Replace("\"", "\\\"", StringComparison.Ordinal);

    /// <summary>A help text: quotes stay as they are.</summary>
    public static string Help(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
