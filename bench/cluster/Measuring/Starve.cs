using System.Globalization;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Contracts;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>Whether small images wait for large ones, and whether the metric of the queue says what is in it.</summary>
internal sealed class Starve() : Measurement(
    "starve", string.Create(CultureInfo.InvariantCulture, $"{Small} cold small images by {Clients} clients while {Large} large layers ({LargeBytes >> 20} MiB at 1 MiB/s) take all slots they may, {Fetchers} fetchers of {Slots} slots; all large ones must arrive, too"),
    Bound.NeverAbove(LongestPullSeconds, Figures.SlowestImage, Beside),
    Bound.Told(Figures.SlowestImage, Alone),
    Bound.NeverAbove(0, Figures.QueueOff, Beside),
    Bound.NeverAbove(0, Figures.QueueOff, Afterwards))
{
    private const int Small = 40, Clients = 8, Large = 10, LargeBytes = 20 << 20, Fetchers = 2, Slots = 4;

    // A quarter of what they would wait if they waited for a large one.
    private const double LongestPullSeconds = 5;
    private const string Beside = "beside 10 large", Alone = "alone", Afterwards = "afterwards";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30), MetricDeadline = TimeSpan.FromSeconds(20);

    /// <inheritdoc/>
    public override async Task RunAsync(MeasureLine line, Samples samples, CancellationToken cancellationToken)
    {
        await using var registry = await MemoryRegistry.StartNewAsync(cancellationToken);
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url, cancellationToken);
        upstream.Latency = TimeSpan.FromMilliseconds(100);
        using var images = new SmallImages(registry);
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Remove("docker.io").Set("Fetcher", new Dictionary<string, object?> { ["Slots"] = Slots });
        await using var cluster = await EntrepotCluster.StartNewAsync(settings, apis: 2, Fetchers, cancellationToken: cancellationToken);
        await images.PullAsync(cluster.Apis, Small, Clients, cancellationToken); // Processes that have just started compile first.
        for (var round = 1; round <= line.Rounds; round++)
        {
            Keep(samples, round, Alone, Figures.SlowestImage, (await images.PullAsync(cluster.Apis, Small, Clients, cancellationToken)).Slowest.TotalSeconds);
            // Other names each time: a tag that is held is not looked up again.
            var large = Enumerable.Range(0, Large).Select(i => (Repository: $"large/round{round}-{i}", Image: LargeImage((round * Large) + i))).ToArray();
            foreach (var (repository, image) in large) registry.Repository(repository).AddImage(image, "1");
            upstream.BytesPerSecond = 1 << 20;
            using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            var reads = large.Select((one, i) => ReadAsync(cluster.Apis[i % cluster.Apis.Count], one.Repository, one.Image, ending.Token)).ToArray();
            try
            {
                await Eventually.Async(
                    async () => await LargeInStateAsync(cluster, "Running", cancellationToken) == Fetchers * Slots / 2 && await LargeInStateAsync(cluster, "Queued", cancellationToken) == Large - (Fetchers * Slots / 2),
                    Deadline, "the large layers to have all slots they may have", cancellationToken);
                Keep(samples, round, Beside, Figures.SlowestImage, (await images.PullAsync(cluster.Apis, Small, Clients, cancellationToken)).Slowest.TotalSeconds);
                if (await LargeInStateAsync(cluster, "Queued", cancellationToken) == 0) throw new BenchException("no large layer waited any more when the small images were done");
                Keep(samples, round, Beside, Figures.QueueOff, await QueueOffAsync(cluster, cancellationToken));
                upstream.BytesPerSecond = null;
                await Task.WhenAll(reads);
                Keep(samples, round, Afterwards, Figures.QueueOff, await QueueOffAsync(cluster, cancellationToken));
            }
            finally
            {
                await ending.CancelAsync();
                await Task.WhenAll(reads).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                foreach (var (repository, _) in large) registry.Remove(repository);
            }
        }
    }

    private static Image LargeImage(int seed) => ImageMaker.FromLayers([LayerMaker.Incompressible(LargeBytes, seed, Compression.None)]);

    /// <summary>Reads manifest and layer as a client does that comes back when it is told to.</summary>
    private static async Task ReadAsync(Uri api, string repository, Image image, CancellationToken cancellationToken)
    {
        await BlobReader.ReadManifestAsync(api, repository, "1", cancellationToken: cancellationToken);
        var digest = image.Layers[0].Digest;
        while (true)
        {
            var read = await BlobReader.ReadBlobAsync(api, repository, digest, cancellationToken: cancellationToken);
            if (read is { Status: 200, Completed: true } && read.Digest == digest) return;
            if (read.Status != 503 || !read.Headers.TryGetValue("Retry-After", out var seconds)) throw new BenchException($"a large layer: {read.Status}, {read.BytesRead} bytes, {read.End} {read.ErrorText}");
            await Task.Delay(TimeSpan.FromSeconds(int.Parse(seconds, CultureInfo.InvariantCulture)), cancellationToken);
        }
    }

    private static async Task<int> LargeInStateAsync(EntrepotCluster cluster, string state, CancellationToken cancellationToken) => int.Parse(
        await cluster.QueryAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM fetches WHERE kind = 'Blob' AND state = '{state}' AND expected_size >= {LargeBytes}"), cancellationToken), CultureInfo.InvariantCulture);

    /// <summary>How far the metric of any api replica is from the rows of the database, once it has had the time to look and the rows have not changed meanwhile.</summary>
    private static async Task<double> QueueOffAsync(EntrepotCluster cluster, CancellationToken cancellationToken)
    {
        double? off = null;
        try
        {
            await Eventually.Async(
                async () =>
                {
                    var rows = await RowsAsync(cluster, cancellationToken);
                    var metrics = await Task.WhenAll(cluster.Names.Where(name => name.StartsWith("api-", StringComparison.Ordinal)).Select(name => cluster.MetricsOfAsync(name, cancellationToken)));
                    if (!rows.OrderBy(row => row.Key).SequenceEqual((await RowsAsync(cluster, cancellationToken)).OrderBy(row => row.Key))) return false;
                    off = metrics.Max(one => Enum.GetNames<FetchKind>().Max(kind => States.Max(state =>
                        Math.Abs(one.Value("entrepot_fetches_active", ("kind", kind), ("state", state)) - rows.GetValueOrDefault($"{kind} {state}")))));
                    return off == 0;
                },
                MetricDeadline, "the metric to say what is in the queue", cancellationToken);
        }
        catch (TimeoutException) when (off is not null)
        {
            // It is told how far off it is.
        }

        return off!.Value;
    }

    private static readonly string[] States = ["Queued", "Running"];

    private static async Task<Dictionary<string, int>> RowsAsync(EntrepotCluster cluster, CancellationToken cancellationToken)
    {
        var text = await cluster.QueryAsync(
            "SELECT string_agg(kind || ' ' || state || '=' || n, ',') FROM (SELECT kind, state, count(*) AS n FROM fetches WHERE state IN ('Queued', 'Running') GROUP BY kind, state) q", cancellationToken);
        return text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('=')).ToDictionary(row => row[0], row => int.Parse(row[1], CultureInfo.InvariantCulture));
    }
}
