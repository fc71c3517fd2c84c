using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Scenarios;

/// <summary>What the scenarios of one run share.</summary>
/// <param name="Work">The folder.</param>
/// <param name="Images">What is pulled.</param>
/// <param name="Upstream">Where from.</param>
/// <param name="Certificate">For https.</param>
/// <param name="Telemetry">Where telemetry goes.</param>
/// <param name="Rounds">How many rounds.</param>
/// <param name="Quick">Short times.</param>
/// <param name="Samples">Where values go.</param>
/// <param name="Raw">Where values go too.</param>
internal sealed record BenchRun(
    WorkFolder Work, BenchImages Images, Upstream Upstream, Certificate Certificate, OtlpReceiver Telemetry, int Rounds, bool Quick, Samples Samples, RawLines Raw)
{
    private readonly List<Failure> _failures = [];

    /// <summary>What could not be measured.</summary>
    public IReadOnlyList<Failure> Failures => _failures;

    /// <summary>Keeps a value and says it.</summary>
    public void Keep(string scenario, int round, string target, Metric metric, double value)
    {
        Samples.Add(scenario, round, target, metric, value);
        Raw.Add(scenario, round, target, metric, value);
        Console.WriteLine($"    {metric.Name}: {metric.Show(value)}");
    }

    /// <summary>Keeps a failure and says it.</summary>
    public void Keep(Failure failure)
    {
        _failures.Add(failure);
        Console.WriteLine($"    FAILED: {failure.Why}");
    }
}
