using Entrepot.Bench.Results;
using Entrepot.Bench.Targets;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Scenarios;

/// <summary>Something that clients do, measured on several targets in turn.</summary>
/// <param name="name">For <c>--only</c> and the table.</param>
/// <param name="what">What happens, in a few words.</param>
/// <param name="headline">What is told of every target, also where no bound refers to it.</param>
/// <param name="bounds">What must hold.</param>
internal abstract class Scenario(string name, string what, Metric headline, params Bound[] bounds)
{
    /// <summary>For <c>--only</c> and the table.</summary>
    public string Name => name;

    /// <summary>What happens, in a few words.</summary>
    public string What => what;

    /// <summary>What must hold.</summary>
    public IReadOnlyList<Bound> Bounds => bounds;

    /// <summary>Whether each measurement begins with an empty cache and a new process.</summary>
    protected abstract bool StartsEmpty { get; }

    /// <summary>The most rounds that make sense.</summary>
    protected virtual int MostRounds => int.MaxValue;

    /// <summary>Measures all.</summary>
    public async Task RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        Console.WriteLine($"\n{Name}: {What} ({TestClock.Now:mm\\:ss} so far)");
        var targets = Targets(run).ToList();
        try
        {
            foreach (var target in StartsEmpty ? [] : targets.ToArray())
            {
                if (!await TryAsync(run, target, () => StartAsync(run, target, cancellationToken), cancellationToken))
                {
                    targets.Remove(target);
                    await target.StopAsync();
                }
            }

            for (var round = 1; round <= Math.Min(run.Rounds, MostRounds); round++)
            {
                foreach (var target in InTurn(targets, round).Where(target => round == 1 || IsBound(target))) await RoundAsync(run, target, round, cancellationToken);
            }
        }
        finally
        {
            foreach (var target in targets) await target.StopAsync();
        }
    }

    /// <summary>The rows of the table: the bounds, then the headline beside every other target.</summary>
    public IEnumerable<Row> Rows(Samples samples)
    {
        var others = samples.TargetsOf(Name, headline)
            .Where(target => target != EntrepotTarget.DefaultName && !bounds.Any(bound => bound.Metric == headline && (bound.Peer == target || bound.Subject == target)));
        return bounds.Concat(others.Select(target => Bound.Told(headline, EntrepotTarget.DefaultName, target))).Select(bound => Row.Of(Name, bound, samples));
    }

    /// <summary>Who takes part.</summary>
    protected abstract IEnumerable<Target> Targets(BenchRun run);

    /// <summary>Warms a target and proves that it gives the right bytes; before the first round, for those that are not emptied each time.</summary>
    protected virtual Task PrepareAsync(BenchRun run, Target target, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Measures a target once.</summary>
    /// <param name="run">The run.</param>
    /// <param name="target">Running and quiet.</param>
    /// <param name="keep">Takes each value.</param>
    /// <param name="cancellationToken">Ends it.</param>
    protected abstract Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken);

    /// <summary>Proves that what was measured in the first round gave the right bytes; for those that are emptied each time.</summary>
    protected virtual Task ProveAsync(BenchRun run, Target target, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Whether a bound refers to it. One that none refers to is measured once, and shortly: it is there to be told.</summary>
    protected bool IsBound(Target target) => bounds.Any(bound => bound.Subject == target.Name || bound.Peer == target.Name);

    /// <summary>Waits until the target uses no CPU, and says so when it does not come to that.</summary>
    protected static async Task QuietAsync(Target target, CancellationToken cancellationToken)
    {
        if (!await target.Processes.QuietAsync(cancellationToken)) Console.WriteLine($"    {target.Name} still used the CPU after 30 s");
    }

    // Whoever was first is last in the next round: what drifts with time, such as the clock of the processor, hits all alike.
    private static IEnumerable<Target> InTurn(List<Target> targets, int round) => targets.Skip((round - 1) % Math.Max(1, targets.Count)).Concat(targets.Take((round - 1) % Math.Max(1, targets.Count)));

    private async Task<bool> TryAsync(BenchRun run, Target target, Func<Task> act, CancellationToken cancellationToken)
    {
        try
        {
            await act();
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested) // The loop of the run: one target's failure is told, the others go on.
        {
            run.Keep(new Failure(Name, target.Name, e.Message, Counts: IsBound(target)));
            return false;
        }
    }

    private async Task StartAsync(BenchRun run, Target target, CancellationToken cancellationToken)
    {
        var began = TestClock.Now;
        await target.StartEmptyAsync(cancellationToken);
        await PrepareAsync(run, target, cancellationToken);
        Console.WriteLine($"  {target.Name} is ready ({(TestClock.Now - began).TotalSeconds:0.0} s)");
    }

    private Task<bool> RoundAsync(BenchRun run, Target target, int round, CancellationToken cancellationToken)
    {
        Console.WriteLine($"  round {round}, {target.Name}");
        return TryAsync(run, target, async () =>
        {
            if (StartsEmpty) await target.StartEmptyAsync(cancellationToken);
            await QuietAsync(target, cancellationToken);
            await MeasureAsync(run, target, (metric, value) => run.Keep(Name, round, target.Name, metric, value), cancellationToken);
            if (!StartsEmpty) return;
            if (round == 1) await ProveAsync(run, target, cancellationToken);
            await target.StopAsync();
        }, cancellationToken);
    }
}
