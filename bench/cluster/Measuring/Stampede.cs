using System.Globalization;
using Entrepot.Bench.Results;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>Whether an upstream notices that many clients want the same cold image at once.</summary>
internal sealed class Stampede() : Measurement(
    "stampede", string.Create(CultureInfo.InvariantCulture, $"{Clients} clients at once pull by tag, and hash, an image of one cold layer (half of --mebibytes), {Apis} api replicas, {Fetchers} fetchers, an upstream that gives {BytesPerSecond >> 20} MiB/s to a response"),
    Bound.NeverAbove(0, Figures.Errors, Target),
    Bound.NeverAbove(0, Figures.WrongDigests, Target),
    Bound.NeverAbove(0, Figures.Repeated, Target),
    Bound.NeverAbove(1.01, Figures.LayerBytes, Target),
    Bound.Told(Metric.FirstByte, Target),
    Bound.Told(Metric.Seconds, Target),
    Bound.Told(Figures.Busy, Target))
{
    private const int Clients = 60, Apis = 3, Fetchers = 3;
    private const long BytesPerSecond = 60 << 20;
    private const string Target = "60 clients";
    private static readonly TimeSpan UntilSettled = TimeSpan.FromMinutes(2);

    /// <inheritdoc/>
    public override async Task RunAsync(MeasureLine line, Samples samples, CancellationToken cancellationToken)
    {
        var mebibytes = Math.Max(1, line.Mebibytes / 2);
        await using var registry = await DebianRegistry.StartNewAsync(cancellationToken);
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url, cancellationToken);
        upstream.BytesPerSecond = BytesPerSecond;

        // Layers of earlier rounds are evicted.
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Janitor", new Dictionary<string, object?> { ["MaxStoreBytes"] = string.Create(CultureInfo.InvariantCulture, $"{3 * mebibytes}MiB"), ["SweepInterval"] = "1s" });
        await using var cluster = await EntrepotCluster.StartNewAsync(settings, Apis, Fetchers, cancellationToken: cancellationToken);
        for (var round = 1; round <= line.Rounds; round++)
        {
            var repository = string.Create(CultureInfo.InvariantCulture, $"stampede/image{round}");
            Image image;
            using (var folder = new TempFolder("layer"))
            {
                image = await ImageMaker.BigAsync(mebibytes, round, folder, cancellationToken);
                await registry.PushAsync(image, repository, cancellationToken: cancellationToken);
            }

            var (layer, cpu, began) = (image.Layers[0], CpuTimes.Read(), TestClock.Now);
            var reads = await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => PullAsync(cluster.Apis[i % Apis], repository, image, cancellationToken)));
            var busy = CpuTimes.Read().BusySince(cpu);
            await upstream.Log.SettleAsync(UntilSettled, cancellationToken);
            await Eventually.Async(async () => await cluster.QueryAsync("SELECT count(*) FROM fetches WHERE state IN ('Queued', 'Running')", cancellationToken) == "0", UntilSettled, "the download's row to end", cancellationToken);

            var bodies = reads.Select(read => read.Read).OfType<BlobRead>().ToArray();
            foreach (var error in reads.Select(read => read.Error).OfType<string>().Distinct()) Console.WriteLine($"  a client: {error}");
            Keep(samples, round, Target, Figures.Errors, reads.Count(read => read.Error is not null));
            Keep(samples, round, Target, Figures.WrongDigests, bodies.Count(body => body is { Status: 200, Completed: true } && body.Digest != layer.Digest));
            Keep(samples, round, Target, Figures.Repeated, Repeated(upstream.Log, layer));
            Keep(samples, round, Target, Figures.LayerBytes, upstream.Log.BlobBytes(layer.Digest) / (double)layer.Size);
            if (bodies.Length > 0)
            {
                Keep(samples, round, Target, Metric.FirstByte, bodies.Max(body => body.TimeToFirstByte).TotalMilliseconds);
                Keep(samples, round, Target, Metric.Seconds, (bodies.Max(body => body.FinishedAt) - began).TotalSeconds);
            }
            Keep(samples, round, Target, Figures.Busy, busy);
            registry.Remove(image, repository);
            upstream.Log.Clear();
        }
    }

    /// <summary>The manifest by its tag, then the layer; what went wrong with either.</summary>
    private static async Task<(BlobRead? Read, string? Error)> PullAsync(Uri api, string repository, Image image, CancellationToken cancellationToken)
    {
        try
        {
            var manifest = await BlobReader.ReadManifestAsync(api, repository, "1", cancellationToken: cancellationToken);
            if ((manifest.Status, manifest.Digest) != (200, image.Digest)) return (null, $"the manifest: {manifest.Status}, {manifest.Digest} {manifest.ErrorText}");
        }
        catch (Exception e) when (e is HttpRequestException or TimeoutException)
        {
            return (null, $"the manifest: {e.Message}");
        }

        return await BlobReader.TryReadBlobAsync(api, repository, image.Layers[0].Digest, cancellationToken);
    }

    private static int Repeated(RequestLog log, Layer layer)
    {
        var (repeated, end) = (0, 0L);
        foreach (var same in log.All.GroupBy(request => (request.Method, request.Path, request.Query, request.Range)).Where(same => same.Count() > 1))
        {
            repeated += same.Count() - 1;
            Console.WriteLine($"  {same.Count()} times: {string.Join("; ", same)}");
        }
        foreach (var span in log.BlobRanges(layer.Digest).Where(span => span.BytesSent > 0))
        {
            if (span.From < end)
            {
                repeated++;
                Console.WriteLine($"  bytes again: {span}");
            }
            end = Math.Max(end, span.From + span.BytesSent);
        }

        return repeated;
    }
}
