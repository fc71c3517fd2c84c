using System.Globalization;

namespace Entrepot.Bench.Results;

/// <summary>A line of the table: a bound and what came of it.</summary>
/// <param name="Scenario">The scenario's name.</param>
/// <param name="Bound">The bound.</param>
/// <param name="Subject">The subject's median; null when it has no value.</param>
/// <param name="Peer">The peer's median; null when there is no peer or it has no value.</param>
/// <param name="Rounds">The figure of each round that has one.</param>
internal sealed record Row(string Scenario, Bound Bound, double? Subject, double? Peer, IReadOnlyList<double> Rounds)
{
    /// <summary>What is compared with the limit; null when nothing was measured.</summary>
    public double? Figure => Rounds.Count == 0 ? null : Bound.Figure == Results.Figure.Worst ? (Bound.IsFloor ? Rounds.Min() : Rounds.Max()) : Median(Rounds);

    /// <summary>Whether the bound holds; null when it has no limit. What could not be measured does not hold.</summary>
    public bool? Holds => Bound.Limit is not { } limit ? null : Figure is { } figure && (Bound.IsFloor ? figure >= limit : figure <= limit);

    /// <summary>Works a bound out.</summary>
    public static Row Of(string scenario, Bound bound, Samples samples)
    {
        var subject = samples.Of(scenario, bound.Metric, bound.Subject);
        var peer = bound.Peer is null ? null : samples.Of(scenario, bound.Metric, bound.Peer);
        var rounds = peer is null
            ? subject.Values.ToArray()
            : subject.Where(value => peer.ContainsKey(value.Key)).Select(value => Compare(bound.Figure, value.Value, peer[value.Key])).ToArray();
        return new Row(scenario, bound, MedianOrNull(subject.Values), peer is null ? null : MedianOrNull(peer.Values), rounds);
    }

    /// <summary>The figure as the table shows it, with its range over the rounds.</summary>
    public string ShowFigure()
    {
        if (Figure is not { } figure) return "not measured";
        var range = Rounds.Count > 1 ? $" ({Show(Rounds.Min())}..{Show(Rounds.Max())})" : "";
        return Show(figure) + range;
    }

    /// <summary>The bound as the table shows it.</summary>
    public string ShowBound() => Bound.Limit is { } limit ? (Bound.IsFloor ? "≥ " : "≤ ") + Plain(limit) : "";

    /// <summary>The middle value; between the two middle ones of an even number.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double? MedianOrNull(IEnumerable<double> values) => values.Any() ? Median(values) : null;

    private static double Compare(Figure figure, double subject, double peer) => figure == Results.Figure.Difference ? subject - peer : subject / peer;

    private string Show(double figure) => Bound.Figure switch
    {
        Results.Figure.Ratio => figure.ToString(figure >= 10 ? "N0" : "N2", CultureInfo.InvariantCulture) + "×",
        Results.Figure.Difference => figure.ToString("+0.00;-0.00", CultureInfo.InvariantCulture),
        _ => Bound.Metric.Show(figure),
    };

    private string Plain(double limit) => Bound.Figure switch
    {
        Results.Figure.Ratio => limit.ToString("0.##", CultureInfo.InvariantCulture) + "×",
        Results.Figure.Difference => limit.ToString("+0.##", CultureInfo.InvariantCulture),
        _ => limit.ToString("#,0.##", CultureInfo.InvariantCulture),
    };
}
