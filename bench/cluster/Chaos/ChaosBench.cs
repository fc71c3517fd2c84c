using System.Globalization;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.Bench.Cluster.Chaos;

/// <summary>Plays the cases, each on a cluster of its own, so that no more lies on the disk than what one of them needs.</summary>
/// <param name="line">What was asked for.</param>
internal sealed class ChaosBench(ChaosLine line)
{
    /// <summary>How many read at once.</summary>
    public const int Clients = 20;

    /// <summary>What the upstream gives to one response.</summary>
    public const long BytesPerSecond = 30 << 20;

    private int _seed;

    /// <summary>Plays them all.</summary>
    public async Task<IReadOnlyList<ChaosResult>> RunAsync(CancellationToken cancellationToken)
    {
        await using var registry = await DebianRegistry.StartNewAsync(cancellationToken);
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url, cancellationToken);
        upstream.BytesPerSecond = BytesPerSecond;
        var results = new List<ChaosResult>();
        foreach (var one in line.Cases)
        {
            Console.WriteLine($"\n{one.Name}: {one.What} ({TestClock.Now:mm\\:ss} so far)");
            results.Add(await RunAsync(one, registry, upstream, cancellationToken));
        }

        return results;
    }

    private async Task<ChaosResult> RunAsync(ChaosCase one, DebianRegistry registry, UpstreamFront upstream, CancellationToken cancellationToken)
    {
        var (losses, failures) = (new List<OwnerLoss>(), new List<string>());
        EntrepotCluster? cluster = null;
        try
        {
            for (var run = 1; run <= line.Runs; run++)
            {
                try
                {
                    cluster ??= await EntrepotCluster.StartNewAsync(Settings(upstream.Url), apis: 3, fetchers: 3, cancellationToken: cancellationToken);
                    losses.Add(await RunAsync(one, cluster, registry, upstream, cancellationToken));
                    Console.WriteLine($"  run {run}: {losses[^1]}");
                }
                catch (Exception e) when (!cancellationToken.IsCancellationRequested) // The loop of the case: what became of the cluster is not known, so the next run has a new one.
                {
                    Console.WriteLine($"  run {run} failed: {e.Message}");
                    failures.Add(string.Create(CultureInfo.InvariantCulture, $"run {run}: {e.Message}"));
                    if (cluster is not null) await cluster.DisposeAsync();
                    cluster = null;
                }
            }
        }
        finally
        {
            if (cluster is not null) await cluster.DisposeAsync();
        }

        return new ChaosResult(one, losses, failures);
    }

    private async Task<OwnerLoss> RunAsync(ChaosCase one, EntrepotCluster cluster, DebianRegistry registry, UpstreamFront upstream, CancellationToken cancellationToken)
    {
        var repository = string.Create(CultureInfo.InvariantCulture, $"chaos/image{++_seed}");
        Image image;
        using (var folder = new TempFolder("layer"))
        {
            image = await ImageMaker.BigAsync(line.Mebibytes, _seed, folder, cancellationToken);
            await registry.PushAsync(image, repository, cancellationToken: cancellationToken);
        }

        try
        {
            return await OwnerLoss.PlayAsync(
                cluster, upstream, repository, image.Layers[0], one.Share, Clients, name => one.Lose(cluster, name), name => one.Mend(cluster, name), cancellationToken);
        }
        finally
        {
            registry.Remove(image, repository);
            upstream.Log.Clear();
        }
    }

    /// <summary>Layers of earlier runs are evicted, and what a lost fetcher leaves is looked for all the time.</summary>
    private EntrepotSettings Settings(Uri upstream) => EntrepotSettings.WithUpstream(upstream).Set("Janitor", new Dictionary<string, object?>
    {
        ["MaxStoreBytes"] = string.Create(CultureInfo.InvariantCulture, $"{3 * line.Mebibytes}MiB"),
        ["SweepInterval"] = "1s",
        ["OrphanInterval"] = "1s",
        ["OrphanGrace"] = "2s",
    });
}
