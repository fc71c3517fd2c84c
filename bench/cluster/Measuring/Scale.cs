using System.Diagnostics;
using System.Globalization;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>How many cold images a second more fetchers bring, when waiting for the upstream is what takes the time.</summary>
internal sealed class Scale() : Measurement(
    "scale", string.Create(CultureInfo.InvariantCulture, $"cold images of one small layer, an upstream that takes {Latency.TotalMilliseconds} ms to answer, {Slots} slots a fetcher, {Apis} api replicas, {Clients} clients"),
    [
        Bound.RatioAtLeast(1.7, Figures.Images, NameOf(2), NameOf(1)),
        Bound.RatioAtLeast(2.8, Figures.Images, NameOf(4), NameOf(1)),
        .. Counts.Select(count => Bound.Told(Figures.Busy, NameOf(count))),
        .. Parts.Select(part => Bound.Told(Figures.PerImage(part), NameOf(Counts[^1]))),
    ])
{
    private const int Slots = 4, Apis = 2, Clients = 64;
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(100);
    private static readonly int[] Counts = [1, 2, 4];

    // As cluster.sh names them, less their numbers; the last are this process.
    private static readonly string[] Parts = ["api", "fetcher", "janitor", "postgres", "rabbitmq", "s3", Self];
    private const string Self = "upstream and clients";

    /// <inheritdoc/>
    public override async Task RunAsync(MeasureLine line, Samples samples, CancellationToken cancellationToken)
    {
        await using var registry = await MemoryRegistry.StartNewAsync(cancellationToken);
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url, cancellationToken);
        upstream.Latency = Latency;
        using var images = new SmallImages(registry);

        // One upstream: of several, each would leave a slot to the others.
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Remove("docker.io").Set("Fetcher", new Dictionary<string, object?> { ["Slots"] = Slots });
        await using var cluster = await EntrepotCluster.StartNewAsync(settings, Apis, Counts.Max(), cancellationToken: cancellationToken);
        for (var round = 1; round <= line.Rounds; round++)
        {
            foreach (var count in InTurn(Counts, round))
            {
                await RunFetchersAsync(cluster, count, cancellationToken);

                // Processes that have just started compile first, each for itself.
                await images.PullAsync(cluster.Apis, Math.Max(Clients, count * line.Images / 4), Clients, cancellationToken);
                var (before, cpu, told) = (Parts.Select(part => CpuOf(cluster, part)).ToArray(), CpuTimes.Read(), images.ToldToComeBack);
                var (all, slowest) = await images.PullAsync(cluster.Apis, line.Images, Clients, cancellationToken);
                var (after, busy) = (Parts.Select(part => CpuOf(cluster, part)).ToArray(), CpuTimes.Read().BusySince(cpu));
                Keep(samples, round, NameOf(count), Figures.Images, line.Images / all.TotalSeconds);
                Keep(samples, round, NameOf(count), Figures.SlowestImage, slowest.TotalSeconds);
                Keep(samples, round, NameOf(count), Figures.Busy, busy);
                foreach (var (i, part) in Parts.Index()) Keep(samples, round, NameOf(count), Figures.PerImage(part), (after[i] - before[i]) / line.Images);
                if (images.ToldToComeBack > told) Console.WriteLine($"  clients were told {images.ToldToComeBack - told} times to come back later");
                upstream.Log.Clear();
            }
        }
    }

    private static string NameOf(int count) => count == 1 ? "1 fetcher" : string.Create(CultureInfo.InvariantCulture, $"{count} fetchers");

    private static async Task RunFetchersAsync(EntrepotCluster cluster, int count, CancellationToken cancellationToken)
    {
        // Stopped before started: a start looks who runs.
        for (var i = Counts.Max(); i >= 1; i--)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"fetcher-{i}");
            await (i <= count ? cluster.StartAsync(name, cancellationToken) : cluster.StopAsync(name, cancellationToken));
        }
    }

    /// <summary>CPU time of a part so far, in milliseconds.</summary>
    private static double CpuOf(EntrepotCluster cluster, string part)
    {
        using var self = Process.GetCurrentProcess();
        return part == Self
            ? self.TotalProcessorTime.TotalMilliseconds
            : cluster.Names.Where(name => name.Split('-')[0] == part).Sum(name => new ProcessTree(cluster.IdOf(name)).CpuMilliseconds);
    }
}
