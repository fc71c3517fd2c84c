using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Scenarios;

/// <summary>The 1 GiB layer that nobody has yet: the manifest is got, then so many readers ask for the layer at the same moment.</summary>
/// <param name="name">Its name.</param>
/// <param name="readers">How many at once.</param>
/// <param name="shape">How the upstream answers.</param>
/// <param name="warm">Whether the program has pulled something else before.</param>
/// <param name="peers">Which peers take part besides docker-registry.</param>
/// <param name="bounds">What must hold.</param>
internal sealed class ColdReads(string name, int readers, Shape shape, bool warm, IReadOnlyList<string> peers, params Bound[] bounds)
    : Scenario(name, $"1 GiB that is not held, {readers} reader{(readers == 1 ? "" : "s")}, upstream {(shape switch { Shape.None => "files", Shape.Registry => "docker-registry", _ => "50 MiB/s per response" })}{(warm ? "" : ", the first pull of a new process")}", Metric.Seconds, bounds)
{
    /// <inheritdoc/>
    protected override bool StartsEmpty => true;

    /// <inheritdoc/>
    protected override IEnumerable<Target> Targets(BenchRun run)
    {
        var upstream = run.Upstream.Url(shape);
        yield return new EntrepotTarget(run.Work, upstream);
        if (peers.Contains(NginxCache.DefaultName)) yield return new NginxCache(run.Work, upstream);
        if (peers.Contains(Direct.DefaultName)) yield return new Direct(run.Upstream, shape);
        if (!run.Quick) yield return new DockerRegistryProxy(run.Work, upstream);
    }

    /// <inheritdoc/>
    protected override async Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken)
    {
        var big = run.Images.Big;
        if (warm) await WarmAsync(run, target, cancellationToken);
        await run.Upstream.IdleAsync(cancellationToken);
        FreshMemory.Fetch(run.Work, big.BlobBytes * 3 / 2);
        var mark = run.Upstream.Log.Mark();
        target.Processes.ResetPeak();
        var before = target.Processes.CpuMilliseconds;
        var began = TestClock.Now;
        await Web.GetAsync(target.At(big.ByTag), big.Digest, cancellationToken);
        var reading = await Reader.ReadAsync(target.LayerOf(big), readers, big.Layers[0].Size, cancellationToken);
        await run.Upstream.IdleAsync(cancellationToken);
        await QuietAsync(target, cancellationToken);
        keep(Metric.Seconds, (reading.Ended - began).TotalSeconds);
        keep(Metric.FirstByte, reading.WorstFirstByte.TotalMilliseconds);
        keep(Metric.Cpu, (target.Processes.CpuMilliseconds - before) / 1000);
        keep(Metric.Peak, target.Processes.PeakMiB);
        var traffic = run.Upstream.Log.Since(mark);
        keep(Metric.UpstreamBytes, traffic.BlobBytes / (double)big.BlobBytes);
        keep(Metric.UpstreamRequests, traffic.BlobRequests);
    }

    private static async Task WarmAsync(BenchRun run, Target target, CancellationToken cancellationToken)
    {
        var image = run.Images.Warm;
        await Web.GetAsync(target.At(image.ByTag), image.Digest, cancellationToken);
        foreach (var layer in image.Layers) await Reader.ReadAsync(target.At(image.PathOf(layer)), 1, layer.Size, cancellationToken);
        await QuietAsync(target, cancellationToken);
    }

    /// <inheritdoc/>
    protected override Task ProveAsync(BenchRun run, Target target, CancellationToken cancellationToken) =>
        target is Direct ? Task.CompletedTask : Reader.ProveAsync(target.LayerOf(run.Images.Big), run.Images.Big.Layers[0].Digest, cancellationToken);
}
