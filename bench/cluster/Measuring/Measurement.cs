using Entrepot.Bench.Results;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>Something that a cluster is measured by.</summary>
/// <param name="name">For <c>--only</c> and the table.</param>
/// <param name="what">What happens, in a few words.</param>
/// <param name="bounds">What must hold, and what is worth telling.</param>
internal abstract class Measurement(string name, string what, params Bound[] bounds)
{
    /// <summary>For <c>--only</c> and the table.</summary>
    public string Name => name;

    /// <summary>What happens, in a few words.</summary>
    public string What => what;

    /// <summary>What must hold, and what is worth telling.</summary>
    public IReadOnlyList<Bound> Bounds => bounds;

    /// <summary>Measures all rounds on a cluster that it starts.</summary>
    public abstract Task RunAsync(MeasureLine line, Samples samples, CancellationToken cancellationToken);

    /// <summary>Keeps a value, and says it.</summary>
    protected void Keep(Samples samples, int round, string target, Metric metric, double value)
    {
        samples.Add(name, round, target, metric, value);
        Console.WriteLine($"  round {round}, {target}: {metric.Show(value)} {metric.Name}");
    }

    /// <summary>Another one is first in each round: what drifts with time hits all alike.</summary>
    protected static IEnumerable<T> InTurn<T>(IReadOnlyList<T> all, int round) => all.Skip((round - 1) % all.Count).Concat(all.Take((round - 1) % all.Count));
}
