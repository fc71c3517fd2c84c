namespace Entrepot.Bench.Results;

/// <summary>All that was measured in a run: by scenario, metric, target and round. For one thread.</summary>
internal sealed class Samples
{
    private readonly Dictionary<(string Scenario, Metric Metric, string Target), SortedDictionary<int, double>> _values = [];

    /// <summary>Adds a value.</summary>
    public void Add(string scenario, int round, string target, Metric metric, double value)
    {
        if (!_values.TryGetValue((scenario, metric, target), out var rounds)) _values[(scenario, metric, target)] = rounds = [];
        rounds[round] = value;
    }

    /// <summary>The values by round; empty when there are none.</summary>
    public IReadOnlyDictionary<int, double> Of(string scenario, Metric metric, string target) =>
        _values.TryGetValue((scenario, metric, target), out var rounds) ? rounds : new SortedDictionary<int, double>();

    /// <summary>The targets that have a value.</summary>
    public IEnumerable<string> TargetsOf(string scenario, Metric metric) =>
        _values.Keys.Where(key => key.Scenario == scenario && key.Metric == metric).Select(key => key.Target);
}
