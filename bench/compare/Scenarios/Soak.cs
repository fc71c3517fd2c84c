using System.Globalization;
using System.Text.Json.Nodes;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Scenarios;

/// <summary>Five minutes of everything at once: hot reads, cold pulls of images that are new each time, a storm of manifests; the store is bounded, so eviction takes part.</summary>
/// <param name="name">Its name.</param>
/// <param name="bounds">What must hold.</param>
internal sealed class Soak(string name, params Bound[] bounds) : Scenario(name, "5 minutes of hot reads, cold pulls and manifests at once", Metric.Growth, bounds)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    protected override bool StartsEmpty => true;

    /// <inheritdoc/>
    protected override int MostRounds => 1;

    /// <inheritdoc/>
    protected override IEnumerable<Target> Targets(BenchRun run) =>
        [new EntrepotTarget(run.Work, run.Upstream.Url(Shape.None), change: settings => settings["Janitor"] = new JsonObject { ["MaxStoreBytes"] = "2GiB" })];

    /// <inheritdoc/>
    protected override async Task MeasureAsync(BenchRun run, Target target, Action<Metric, double> keep, CancellationToken cancellationToken)
    {
        var steps = run.Quick ? 6 : 30;
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var load = new[] { ReadHotAsync(run, target, ending), PullColdAsync(run, target, ending), AskForManifestsAsync(run, target, ending) };
        target.Processes.ResetPeak();
        var memory = new List<double>();
        for (var began = TestClock.Now; memory.Count < steps && !ending.IsCancellationRequested;)
        {
            var next = began + ((memory.Count + 1) * Step) - TestClock.Now;
            if (next > TimeSpan.Zero) await Task.WhenAny(Task.Delay(next, ending.Token));
            memory.Add(target.Processes.RssMiB);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"    {(TestClock.Now - began).TotalSeconds,4:0} s: {memory[^1]:0} MiB"));
        }

        await ending.CancelAsync();
        var served = await Task.WhenAll(load);
        cancellationToken.ThrowIfCancellationRequested();
        Console.WriteLine($"    hot reads {served[0]}, cold pulls {served[1]}, storms {served[2]}");
        if (served.Contains(0)) throw new BenchException("a part of the load did nothing");
        var minute = steps / 5;
        keep(Metric.Peak, target.Processes.PeakMiB);
        keep(Metric.Growth, Row.Median(memory[^minute..]) / Row.Median(memory[minute..(2 * minute)]));
    }

    private static Task<int> ReadHotAsync(BenchRun run, Target target, CancellationTokenSource ending) => RepeatAsync(ending, async stop =>
    {
        await Reader.ReadAsync(target.LayerOf(run.Images.Big), 2, run.Images.Big.Layers[0].Size, stop);
        await Task.Delay(TimeSpan.FromSeconds(1), stop);
    });

    private static Task<int> AskForManifestsAsync(BenchRun run, Target target, CancellationTokenSource ending) => RepeatAsync(ending, async stop =>
    {
        await Wrk.RunAsync(target.At(run.Images.Forty.ByTag), TimeSpan.FromSeconds(2), stop);
        await Task.Delay(TimeSpan.FromSeconds(1), stop);
    });

    // 40 MiB is enough to be downloaded over several connections.
    private static Task<int> PullColdAsync(BenchRun run, Target target, CancellationTokenSource ending)
    {
        var seed = 1_000_000;
        return RepeatAsync(ending, async stop =>
        {
            seed++;
            using var folder = new TempFolder("soak");
            var image = await run.Upstream.Files.AddAsync(
                await ImageMaker.BigAsync(40, seed, folder, stop), string.Create(CultureInfo.InvariantCulture, $"bench/fresh-{seed}"), "1", stop);
            await Web.GetAsync(target.At(image.ByDigest), image.Digest, stop);
            await Reader.ProveAsync(target.LayerOf(image), image.Layers[0].Digest, stop);
            await run.Upstream.IdleAsync(stop);
            run.Upstream.Files.Remove(image.Repository);
            await Task.Delay(TimeSpan.FromSeconds(1), stop);
        });
    }

    // A part that fails ends the whole; a part that is ended in its middle has not failed.
    private static async Task<int> RepeatAsync(CancellationTokenSource ending, Func<CancellationToken, Task> act)
    {
        for (var times = 0; ; times++)
        {
            try
            {
                await act(ending.Token);
            }
            catch (Exception) when (ending.IsCancellationRequested)
            {
                return times;
            }
            catch
            {
                await ending.CancelAsync();
                throw;
            }
        }
    }
}
