using System.Text.Json.Nodes;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Scenarios;

/// <summary>A storm of requests for one small thing that is held.</summary>
/// <param name="name">Its name.</param>
/// <param name="what">What happens.</param>
/// <param name="thing">Path and digest of the thing.</param>
/// <param name="withTelemetry">Whether Entrepot with OTLP export takes part.</param>
/// <param name="bounds">What must hold.</param>
internal sealed class SmallHits(string name, string what, Func<BenchImages, (string Path, string Digest)> thing, bool withTelemetry, params Bound[] bounds)
    : Scenario(name, what, Metric.Requests, bounds)
{
    /// <summary>Entrepot's name with OTLP export on.</summary>
    public const string WithTelemetry = "entrepot, OTLP on";

    /// <inheritdoc/>
    protected override bool StartsEmpty => false;

    /// <inheritdoc/>
    protected override IEnumerable<Target> Targets(BenchRun run)
    {
        var upstream = run.Upstream.Url(Shape.None);
        yield return new NginxStatic(run.Work);
        yield return new EntrepotTarget(run.Work, upstream);
        if (withTelemetry)
        {
            yield return new EntrepotTarget(
                run.Work, upstream, WithTelemetry, settings => settings["Telemetry"] = new JsonObject { ["OtlpEndpoint"] = run.Telemetry.Url.GetLeftPart(UriPartial.Authority) });
        }

        yield return new NginxCache(run.Work, upstream);
        yield return new DockerRegistryProxy(run.Work, upstream);
    }

    /// <inheritdoc/>
    protected override async Task PrepareAsync(BenchRun run, Target target, CancellationToken cancellationToken)
    {
        var (path, digest) = thing(run.Images);
        await Running.Web.GetAsync(target.At(path), digest, cancellationToken);

        // Code that is compiled while it runs needs some seconds to reach its final form; the others get the same.
        await Wrk.RunAsync(target.At(path), TimeSpan.FromSeconds(run.Quick || !IsBound(target) ? 1 : 4), cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken)
    {
        var url = target.At(thing(run.Images).Path);
        var exported = run.Telemetry.Bytes;
        target.Processes.ResetPeak();
        var before = target.Processes.CpuMilliseconds;
        var storm = await Wrk.RunAsync(url, TimeSpan.FromSeconds(run.Quick || !IsBound(target) ? 2 : 5), cancellationToken);
        var used = target.Processes.CpuMilliseconds - before;
        keep(Metric.Requests, storm.PerSecond);
        keep(Metric.CpuPerThousand, used / storm.Requests * 1000);
        keep(Metric.P50, storm.MedianMilliseconds);
        keep(Metric.P99, storm.Worst1PercentMilliseconds);
        keep(Metric.Peak, target.Processes.PeakMiB);
        if (target.Name != WithTelemetry) return;
        await TestSupport.Running.Eventually.Async(() => run.Telemetry.Bytes > exported, TimeSpan.FromSeconds(30), "telemetry to be exported", cancellationToken);
    }
}
