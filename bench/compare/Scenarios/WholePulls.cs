using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;
using Entrepot.TestSupport.Clients;

namespace Entrepot.Bench.Scenarios;

/// <summary>The 40-layer image by <c>skopeo copy</c>, which checks every digest itself: first cold, then hot.</summary>
/// <param name="name">Its name.</param>
/// <param name="bounds">What must hold.</param>
internal sealed class WholePulls(string name, params Bound[] bounds)
    : Scenario(name, "skopeo copy of 40 layers, upstream 50 MiB/s per response and 30 ms before each", Metric.ColdPull, bounds)
{
    /// <inheritdoc/>
    protected override bool StartsEmpty => true;

    /// <inheritdoc/>
    protected override IEnumerable<Target> Targets(BenchRun run)
    {
        var upstream = run.Upstream.Url(Shape.RateAndLatency);
        return
        [
            new EntrepotTarget(run.Work, upstream),
            new NginxCache(run.Work, upstream),
            new Direct(run.Upstream, Shape.RateAndLatency),
            new DockerRegistryProxy(run.Work, upstream),
        ];
    }

    /// <inheritdoc/>
    protected override async Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken)
    {
        var forty = run.Images.Forty;
        await run.Upstream.IdleAsync(cancellationToken);
        var mark = run.Upstream.Log.Mark();
        target.Processes.ResetPeak();
        keep(Metric.ColdPull, await PullAsync(target, forty, cancellationToken));
        await run.Upstream.IdleAsync(cancellationToken);
        await QuietAsync(target, cancellationToken);
        var traffic = run.Upstream.Log.Since(mark);
        keep(Metric.UpstreamBytes, traffic.BlobBytes / (double)forty.BlobBytes);
        keep(Metric.UpstreamRequests, traffic.BlobRequests);
        if (target is not Direct)
        {
            var hot = new List<double>();
            for (var i = 0; i < 5; i++) hot.Add(await PullAsync(target, forty, cancellationToken));
            keep(Metric.HotPull, Row.Median(hot));
        }

        keep(Metric.Peak, target.Processes.PeakMiB);
    }

    private static async Task<double> PullAsync(Target target, BenchImage image, CancellationToken cancellationToken)
    {
        var pull = await Skopeo.PullAsync(target.Url, $"{image.Repository}:{image.Tag}", cancellationToken: cancellationToken);
        return pull.Digest == image.Digest ? pull.Elapsed.TotalSeconds : throw new BenchException($"skopeo got {pull.Digest}, not {image.Digest}");
    }
}
