using System.Text.Json.Nodes;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;

namespace Entrepot.Bench.Scenarios;

/// <summary>The 1 GiB layer, held and in the page cache, by so many readers at once.</summary>
/// <param name="name">Its name.</param>
/// <param name="readers">How many at once.</param>
/// <param name="tls">Over TLS.</param>
/// <param name="copies">The readers take the bytes, as real clients do; else the kernel throws them away.</param>
/// <param name="bounds">What must hold.</param>
internal sealed class HotReads(string name, int readers, bool tls, bool copies, params Bound[] bounds)
    : Scenario(name, $"1 GiB that is held, {readers} reader{(readers == 1 ? "" : "s")}{(tls ? ", TLS 1.3" : copies ? ", bytes taken" : ", bytes thrown away by the kernel")}", Metric.Rate, bounds)
{
    /// <summary>Entrepot's name without sendfile(2).</summary>
    public const string PipeLoop = "entrepot, pipe loop";

    /// <inheritdoc/>
    protected override bool StartsEmpty => false;

    /// <inheritdoc/>
    protected override IEnumerable<Target> Targets(BenchRun run)
    {
        var upstream = run.Upstream.Url(Shape.None);
        if (tls) return [new NginxStatic(run.Work, run.Certificate), new EntrepotTarget(run.Work, upstream, certificate: run.Certificate)];
        var pipeLoop = new EntrepotTarget(run.Work, upstream, PipeLoop, settings => settings["SendFile"] = JsonValue.Create(false));
        if (copies) return [new NginxStatic(run.Work), new EntrepotTarget(run.Work, upstream), pipeLoop];
        return
        [
            new NginxStatic(run.Work),
            new EntrepotTarget(run.Work, upstream),
            pipeLoop,
            new NginxCache(run.Work, upstream),
            new DockerRegistryProxy(run.Work, upstream),
        ];
    }

    /// <inheritdoc/>
    protected override async Task PrepareAsync(BenchRun run, Target target, CancellationToken cancellationToken)
    {
        var big = run.Images.Big;
        await Running.Web.GetAsync(target.At(big.ByTag), big.Digest, cancellationToken);
        await Reader.ProveAsync(target.LayerOf(big), big.Layers[0].Digest, cancellationToken);
        await QuietAsync(target, cancellationToken);
        await Reader.ReadAsync(target.LayerOf(big), readers, big.Layers[0].Size, cancellationToken, copies);
    }

    /// <inheritdoc/>
    protected override async Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken)
    {
        var layer = run.Images.Big.Layers[0];
        var enough = TimeSpan.FromSeconds(run.Quick || !IsBound(target) ? 1 : 2.5); // the kernel counts CPU in steps of 10 ms, and one read may take 60 ms
        target.Processes.ResetPeak();
        var before = target.Processes.CpuMilliseconds;
        var ownBefore = Environment.CpuUsage.TotalTime;
        var (bytes, took, firstByte) = (0L, TimeSpan.Zero, TimeSpan.Zero);
        while (took < enough)
        {
            var reading = await Reader.ReadAsync(target.LayerOf(run.Images.Big), readers, layer.Size, cancellationToken, copies);
            bytes += reading.Bytes;
            took += reading.Ended - reading.Began;
            if (reading.WorstFirstByte > firstByte) firstByte = reading.WorstFirstByte;
        }

        var gibibytes = bytes / (double)(1 << 30);
        keep(Metric.Rate, bytes / took.TotalSeconds / 1e6);
        keep(Metric.CpuPerGiB, (target.Processes.CpuMilliseconds - before) / 1000 / gibibytes);
        keep(Metric.ReaderCpuPerGiB, (Environment.CpuUsage.TotalTime - ownBefore).TotalSeconds / gibibytes);
        keep(Metric.FirstByte, firstByte.TotalMilliseconds);
        keep(Metric.Peak, target.Processes.PeakMiB);
    }
}
