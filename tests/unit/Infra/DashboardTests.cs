using System.Text.Json;
using System.Text.RegularExpressions;
using Entrepot.Hosting.Metrics;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Infra;

/// <summary>Grafana's dashboard (infra/monitoring) and Prometheus' settings know only what the code has.</summary>
public sealed partial class DashboardTests
{
    private static readonly string[] HistogramParts = ["_bucket", "_sum", "_count"];

    [Fact]
    public async Task Every_metric_of_the_dashboard_exists()
    {
        var families = Own().Concat(await FrameworkAsync()).Append("entrepot_metrics_overflow_total").ToHashSet();
        var asked = Expressions().SelectMany(MetricsOf).Distinct().Order().ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, name => Assert.True(families.Contains(name) || families.Contains(FamilyOf(name)), name));
    }

    [Fact]
    public void Every_metric_of_our_own_is_on_the_dashboard()
    {
        var asked = Expressions().SelectMany(MetricsOf).Select(FamilyOf).ToHashSet();
        Assert.All(Own(), name => Assert.Contains(name, asked));
    }

    [Fact]
    public void No_instrument_is_overlooked() =>
        Assert.All(Sources(), source => Assert.Equal(AnyInstrument().Count(source), Instrument().Count(source)));

    [Theory]
    [InlineData("sum by (kind, le) (rate(a_b_bucket{job=\"api\"}[$__rate_interval])) / c", "a_b_bucket", "c")]
    [InlineData("histogram_quantile(0.5, sum(x))", "x")]
    public void Metrics_are_told_from_all_else_of_an_expression(string expression, params string[] expected) => Assert.Equal(expected, MetricsOf(expression));

    // All that Entrepot's own meters make, read from the sources: their names are literals.
    internal static List<string> Own() => [.. Sources().SelectMany(source => Instrument().Matches(source)).Select(NameOf).Distinct()];

    private static string NameOf(Match instrument)
    {
        var kind = instrument.Groups["kind"].Value switch { "Counter" or "ObservableCounter" => MetricKind.Counter, "Histogram" => MetricKind.Histogram, _ => MetricKind.Gauge };
        var unit = instrument.Groups["unit"].Value;
        return MetricName.Family(instrument.Groups["name"].Value, unit == "null" ? null : unit.Trim('"'), kind);
    }

    private static IEnumerable<string> Sources() => new[] { "services", "shared" }
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.cs", SearchOption.AllDirectories))
        .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
        .Select(File.ReadAllText);

    // What the framework measures of itself, of a host that has had a request.
    private static async Task<IEnumerable<string>> FrameworkAsync()
    {
        await using var host = await TestHost.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        using (await client.GetAsync(new Uri("/nothing", UriKind.Relative)))
        {
            // Counted when it has ended.
        }
        return TypeLine().Matches(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative))).Select(match => match.Groups[1].Value);
    }

    private static List<string> Expressions()
    {
        var found = new List<string>();
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkout.Root, "infra/monitoring/grafana/dashboards/entrepot.json")));
        foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray())
        {
            if (panel.TryGetProperty("targets", out var targets))
                found.AddRange(targets.EnumerateArray().Select(target => target.GetProperty("expr").GetString()!));
        }
        return found;
    }

    // Without strings, labels, ranges and what 'by' groups, all words that no bracket follows are metrics.
    private static IEnumerable<string> MetricsOf(string expression) =>
        Word().Matches(NoMetric().Replace(expression, " ")).Select(match => match.Value);

    private static string FamilyOf(string name) => HistogramParts.FirstOrDefault(name.EndsWith) is { } part ? name[..^part.Length] : name;

    [GeneratedRegex("""\.Create(?<kind>(Observable)?(Counter|UpDownCounter|Gauge)|Histogram)(<\w+>)?\(\s*"(?<name>[^"]+)".*?,\s*(?<unit>null|"[^"]*"),\s*"[^"]*"\)""", RegexOptions.Singleline)]
    private static partial Regex Instrument();

    [GeneratedRegex("""\.Create(Observable)?(Counter|UpDownCounter|Gauge|Histogram)\b""")]
    private static partial Regex AnyInstrument();

    [GeneratedRegex("^# TYPE (\\S+) ", RegexOptions.Multiline)]
    private static partial Regex TypeLine();

    [GeneratedRegex("""\{[^}]*\}|\[[^\]]*\]|\b(by|without|on|ignoring)\s*\([^)]*\)|"[^"]*"|\b[0-9.]+\b""")]
    private static partial Regex NoMetric();

    [GeneratedRegex("""\b[a-zA-Z_:][a-zA-Z0-9_:]*\b(?!\s*\()""")]
    private static partial Regex Word();
}
