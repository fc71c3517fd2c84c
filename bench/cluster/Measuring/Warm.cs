using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>A blob that is in the store, through the api and from the store itself.</summary>
internal sealed class Warm() : Measurement(
    "warm", "a stored blob, read by one client through an api replica, and by the same client by presigned URL from the S3 server; three times as many rounds, for it is over soon",
    Bound.RatioAtLeast(0.85, Figures.Rate, ThroughApi, FromStore),
    Bound.Told(Metric.CpuPerGiB, ThroughApi),
    Bound.Told(Figures.Busy, ThroughApi),
    Bound.Told(Figures.Busy, FromStore))
{
    private const string ThroughApi = "api", FromStore = "S3 server", Repository = "warm/blob";
    private const int RoundsEach = 3;

    /// <inheritdoc/>
    public override async Task RunAsync(MeasureLine line, Samples samples, CancellationToken cancellationToken)
    {
        await using var registry = await DebianRegistry.StartNewAsync(cancellationToken);
        Layer layer;
        using (var folder = new TempFolder("layer"))
        {
            var image = await ImageMaker.BigAsync(line.Mebibytes, 1, folder, cancellationToken);
            await registry.PushAsync(image, Repository, cancellationToken: cancellationToken);
            layer = image.Layers[0];
        }

        await using var cluster = await EntrepotCluster.StartNewAsync(EntrepotSettings.WithUpstream(registry.Url), cancellationToken: cancellationToken);
        var blob = new Uri(cluster.Apis[0], $"/v2/{Repository}/blobs/{layer.Digest}");
        await StoreAsync(cluster.Apis[0], blob, layer, cancellationToken);
        var targets = new[] { (Name: ThroughApi, Url: blob), (Name: FromStore, Url: await cluster.PresignedUrlOfAsync(layer.Digest, cancellationToken)) };

        // It warms both, too.
        foreach (var (_, url) in targets) await Reader.ProveAsync(url, layer.Digest, cancellationToken);
        var api = new ProcessTree(cluster.IdOf("api-1"));
        for (var round = 1; round <= RoundsEach * line.Rounds; round++)
        {
            foreach (var (name, url) in InTurn(targets, round))
            {
                await api.QuietAsync(cancellationToken);
                var (used, cpu) = (api.CpuMilliseconds, CpuTimes.Read());
                var reading = await Reader.ReadAsync(url, connections: 1, layer.Size, cancellationToken, copies: true);
                Keep(samples, round, name, Figures.Busy, CpuTimes.Read().BusySince(cpu));
                if (name == ThroughApi) Keep(samples, round, name, Metric.CpuPerGiB, (api.CpuMilliseconds - used) / 1000 / ((double)layer.Size / (1 << 30)));
                Keep(samples, round, name, Figures.Rate, layer.Size / (double)(1 << 20) / (reading.Ended - reading.Began).TotalSeconds);
            }
        }
    }

    private static async Task StoreAsync(Uri api, Uri blob, Layer layer, CancellationToken cancellationToken)
    {
        await BlobReader.ReadManifestAsync(api, Repository, "1", cancellationToken: cancellationToken);
        var cold = await BlobReader.ReadAsync(blob, cancellationToken: cancellationToken);
        if (cold.Digest != layer.Digest || !cold.Completed) throw new BenchException($"the first pull gave {cold.Status}, {cold.BytesRead} bytes: {cold.ErrorText}");
        await Eventually.Async(
            async () => (await BlobReader.ReadAsync(blob, new BlobReadOptions { Range = "bytes=0-0" }, cancellationToken)).XCache == "HIT", TimeSpan.FromMinutes(2), "the blob to be stored", cancellationToken);
    }
}
