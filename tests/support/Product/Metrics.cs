using System.Globalization;
using System.Text.RegularExpressions;

namespace Entrepot.TestSupport.Product;

/// <summary>One reading of <c>/metrics</c>. Immutable. Source: Prometheus text exposition format 0.0.4.</summary>
public sealed partial class Metrics
{
    private readonly List<(string Name, Dictionary<string, string> Labels, double Value)> _samples = [];

    private Metrics(string text) => Text = text;

    /// <summary>The text as it came.</summary>
    public string Text { get; }

    /// <summary>Reads the text format; lines that are no samples are passed over.</summary>
    public static Metrics Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var metrics = new Metrics(text);
        foreach (var line in text.Split('\n'))
        {
            var match = Sample().Match(line);
            if (!match.Success || line[0] == '#') continue;
            var labels = Label().Matches(match.Groups["labels"].Value).ToDictionary(l => l.Groups["key"].Value, l => Unescape(l.Groups["value"].Value));
            metrics._samples.Add((match.Groups["name"].Value, labels, Number(match.Groups["value"].Value)));
        }

        return metrics;
    }

    /// <summary>The sum of all series of this name that carry these labels (others may be there too); 0 when there is none.</summary>
    public double Value(string name, params (string Key, string Value)[] labels) =>
        _samples.Where(s => s.Name == name && labels.All(l => s.Labels.TryGetValue(l.Key, out var value) && value == l.Value)).Sum(s => s.Value);

    /// <summary>Whether there is any series of this name.</summary>
    public bool Has(string name) => _samples.Any(s => s.Name == name);

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static string Unescape(string value) => EscapedCharacter().Replace(value, m => m.Value[1] == 'n' ? "\n" : m.Value[1..]);

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?<labels>.*)\})?\s+(?<value>\S+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();

    [GeneratedRegex("(?<key>[a-zA-Z_][a-zA-Z0-9_]*)=\"(?<value>(\\\\.|[^\"\\\\])*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex(@"\\.")]
    private static partial Regex EscapedCharacter();
}
