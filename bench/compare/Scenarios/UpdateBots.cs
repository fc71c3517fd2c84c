using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Scenarios;

/// <summary>Those who only look whether a tag has moved: 200 manifests by GET, and never a blob.</summary>
/// <param name="name">Its name.</param>
/// <param name="bounds">What must hold.</param>
internal sealed class UpdateBots(string name, params Bound[] bounds) : Scenario(name, "200 manifests by GET, and nothing else", Metric.BlobBytes, bounds)
{
    /// <inheritdoc/>
    protected override bool StartsEmpty => true;

    /// <inheritdoc/>
    protected override int MostRounds => 1;

    /// <inheritdoc/>
    protected override IEnumerable<Target> Targets(BenchRun run) => [new EntrepotTarget(run.Work, run.Upstream.Url(Shape.None))];

    /// <inheritdoc/>
    protected override async Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken)
    {
        await run.Upstream.IdleAsync(cancellationToken);
        var mark = run.Upstream.Log.Mark();
        await Parallel.ForEachAsync(
            run.Images.Bots, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken }, async (image, stop) => await Web.GetAsync(target.At(image.ByTag), image.Digest, stop));

        // What does not happen can't be waited for: a prefetch that nobody asked for would have begun by then.
        await Task.Delay(TimeSpan.FromSeconds(3), cancellationToken);
        await QuietAsync(target, cancellationToken);
        await run.Upstream.IdleAsync(cancellationToken);
        var traffic = run.Upstream.Log.Since(mark);
        if (traffic.Requests < run.Images.Bots.Count) throw new BenchException($"the upstream saw {traffic.Requests} requests for {run.Images.Bots.Count} manifests");
        keep(Metric.BlobBytes, traffic.BlobBytes);
    }
}
