using Entrepot.Bench.Results;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Scenarios;

/// <summary>What is measured, and what must hold.</summary>
internal static class AllScenarios
{
    private const string Entrepot = EntrepotTarget.DefaultName;
    private const string Static = NginxStatic.DefaultName;
    private const string Cache = NginxCache.DefaultName;

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new SmallHits("manifest-by-tag", "a manifest that is held, by a fresh tag", images => (images.Forty.ByTag, images.Forty.Digest), withTelemetry: true, ManifestBounds()),
        new SmallHits("manifest-by-digest", "a manifest that is held, by its digest", images => (images.Forty.ByDigest, images.Forty.Digest), withTelemetry: true, ManifestBounds()),
        new SmallHits(
            "small-blob", "a blob of 4 KiB that is held", images => (images.Tiny.PathOf(images.Tiny.Config), images.Tiny.Config.Digest), withTelemetry: false,
            Bound.RatioAtLeast(0.7, Metric.Requests, Entrepot, Static)),
        new HotReads("hot-1", 1, tls: false, copies: false, HotBounds()),
        new HotReads("hot-8", 8, tls: false, copies: false, [.. HotBounds(), Memory]),
        new HotReads("hot-1-copied", 1, tls: false, copies: true, Bound.RatioAtLeast(0.9, Metric.Rate, Entrepot, Static), PipeLoop),
        new HotReads("hot-8-copied", 8, tls: false, copies: true, Bound.RatioAtLeast(0.9, Metric.Rate, Entrepot, Static), PipeLoop),
        new HotReads("hot-1-tls", 1, tls: true, copies: true, Bound.RatioAtLeast(0.75, Metric.Rate, Entrepot, Static)),
        new HotReads("hot-8-tls", 8, tls: true, copies: true, Bound.RatioAtLeast(0.75, Metric.Rate, Entrepot, Static), Memory),
        new ColdReads(
            "cold", 1, Shape.Registry, warm: true, [Cache, Direct.DefaultName],
            Bound.RatioAtMost(1.5, Metric.Seconds, Entrepot, Cache), Bound.AboveByAtMost(0.9, Metric.Cpu, Entrepot, Cache), Once),
        new ColdReads("cold-from-files", 1, Shape.None, warm: true, [Cache], Bound.Told(Metric.Cpu, Entrepot, Cache), Once),
        new ColdReads("cold-first", 1, Shape.Registry, warm: false, [Cache], Bound.Told(Metric.Cpu, Entrepot, Cache), Once),
        new ColdReads("cold-shaped", 1, Shape.Rate, warm: false, [Direct.DefaultName], Bound.RatioAtMost(0.35, Metric.Seconds, Entrepot, Direct.DefaultName), Once),
        new ColdReads("stampede", 16, Shape.Registry, warm: true, [Cache], Bound.RatioAtMost(1.5, Metric.Seconds, Entrepot, Cache), Once, Memory),
        new ColdReads(
            "stampede-shaped", 16, Shape.Rate, warm: false, [Cache],
            Bound.RatioAtMost(0.4, Metric.Seconds, Entrepot, Cache), Bound.AtMost(250, Metric.FirstByte, Entrepot), Once, Memory),
        new WholePulls(
            "skopeo",
            Bound.RatioAtMost(0.7, Metric.ColdPull, Entrepot, Direct.DefaultName), Bound.RatioAtMost(1.15, Metric.HotPull, Entrepot, Cache), Once),
        new UpdateBots("update-bots", Bound.NeverAbove(0, Metric.BlobBytes, Entrepot)),
        new Soak("soak", Memory, Bound.NeverAbove(1.1, Metric.Growth, Entrepot)),
    ];

    /// <summary>Those of a whole run; the others must be asked for.</summary>
    public static IReadOnlyList<Scenario> Default { get; } = [.. All.Where(scenario => scenario is not Soak)];

    private static Bound Memory => Bound.NeverAbove(250, Metric.Peak, Entrepot);

    private static Bound Once => Bound.NeverAbove(1.01, Metric.UpstreamBytes, Entrepot);

    private static Bound[] ManifestBounds() =>
    [
        Bound.RatioAtLeast(0.9, Metric.Requests, Entrepot, Static),
        Bound.RatioAtMost(2, Metric.CpuPerThousand, Entrepot, Static),
        Bound.RatioAtMost(2, Metric.P99, Entrepot, Static),
        Bound.RatioAtLeast(0.8, Metric.Requests, SmallHits.WithTelemetry, Entrepot),
        Memory,
    ];

    // Of what is copied on its way it is asked among readers that copy, as real ones do: where nobody touches the bytes, nothing that does can keep up.
    private static Bound PipeLoop => Bound.RatioAtLeast(0.75, Metric.Rate, HotReads.PipeLoop, Static);

    private static Bound[] HotBounds() =>
    [
        Bound.RatioAtLeast(0.9, Metric.Rate, Entrepot, Static),
        Bound.RatioAtMost(1.3, Metric.CpuPerGiB, Entrepot, Static),
        Bound.Told(Metric.Rate, HotReads.PipeLoop, Static),
    ];
}
