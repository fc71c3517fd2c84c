using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>Processes come and go, and nothing is lost or left behind.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterLifeTests(ClusterFixture fixture)
{
    private const long MiB = 1L << 20;

    [Theory]
    [InlineData(128, 0.5, true)]
    [InlineData(300, 1.0, true)] // While it is verified, and stored in parts.
    [InlineData(300, 1.0, false)] // The upload's id is known: no server needs to list it.
    public async Task When_everything_of_ours_is_killed_in_a_pull_the_next_one_works_and_nothing_is_left_behind(int mebibytes, double share, bool listsUploads)
    {
        fixture.Store.ListsUploads = listsUploads;
        var (repository, layer) = await fixture.NewImageAsync(mebibytes);
        await BlobReader.ReadManifestAsync(fixture.Cluster.Apis[0], repository, "1");
        fixture.Upstream.BytesPerSecond = 30 * MiB;
        var cut = BlobReader.ReadBlobAsync(fixture.Cluster.Apis[0], repository, layer.Digest);
        await Eventually.Async(() => fixture.Upstream.Log.BlobBytes(layer.Digest) >= layer.Size * share, TimeSpan.FromSeconds(30), $"{share:P0} of the layer");
        if (!listsUploads)
            await Eventually.Async(
                async () => await fixture.Cluster.QueryAsync($"SELECT (SELECT count(*) FROM uploads WHERE upload_id IS NOT NULL) + (SELECT count(*) FROM blobs WHERE digest = '{layer.Digest}')") != "0",
                TimeSpan.FromSeconds(30), "the upload to be under way");
        await Task.WhenAll(ClusterFixture.Services.Select(name => fixture.Cluster.KillAsync(name)));
        fixture.Upstream.BytesPerSecond = null;
        var ended = await cut;
        Assert.True(!ended.Completed || ended.Digest == layer.Digest, "a response completed with other bytes");
        foreach (var name in ClusterFixture.Services) await fixture.Cluster.StartAsync(name);

        // The lost owner's lease goes first.
        await Eventually.Async(
            async () => await BlobReader.ReadBlobAsync(fixture.Cluster.Apis[1], repository, layer.Digest) is { Completed: true, Status: 200 } read && read.Digest == layer.Digest,
            TimeSpan.FromSeconds(30), "the next pull to work");
        await NothingIsLeftBehindAsync();
        fixture.Store.ListsUploads = true;
    }

    [Fact]
    public async Task Everything_may_start_in_any_order()
    {
        string[] servers = ["postgres", "rabbitmq", "s3"];
        await Task.WhenAll(ClusterFixture.Services.Select(name => fixture.Cluster.KillAsync(name)));
        await Task.WhenAll(servers.Select(name => fixture.Cluster.StopAsync(name)));
        var services = ClusterFixture.Services.Select(name => fixture.Cluster.StartAsync(name)).ToArray();
        // They are there, and wait.
        await Eventually.Async(async () => (await BlobReader.ReadAsync(new Uri(fixture.Cluster.Apis[0], "/readyz"))).Status == 503, TimeSpan.FromSeconds(20), "an api that is not ready");
        foreach (var server in servers.Reverse()) await fixture.Cluster.StartAsync(server);
        await Task.WhenAll(services);
        var (repository, layer) = await fixture.NewImageAsync(3);
        var cold = await BlobReader.ReadBlobAsync(fixture.Cluster.Apis[2], repository, layer.Digest);
        Assert.Equal((200, true, layer.Digest), (cold.Status, cold.Completed, cold.Digest));
    }

    [Fact]
    public async Task What_three_replicas_have_served_is_counted_in_the_database()
    {
        var (repository, layer) = await fixture.NewImageAsync(1);
        var manifest = await BlobReader.ReadManifestAsync(fixture.Cluster.Apis[0], repository, "1");
        var before = await CountAsync(manifest.Digest);
        foreach (var api in fixture.Cluster.Apis)
            for (var i = 0; i < 20; i++)
                Assert.Equal(200, (await BlobReader.ReadManifestAsync(api, repository, manifest.Digest)).Status);
        await Eventually.Async(async () => await CountAsync(manifest.Digest) >= before + 60, TimeSpan.FromSeconds(20), "the accesses of all replicas");
        Assert.InRange(await CountAsync(manifest.Digest) - before, 60, 61); // The first pull may have been counted since.
        _ = layer;
    }

    [Fact]
    public async Task A_rolling_restart_in_a_storm_of_pulls_loses_none()
    {
        var images = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => fixture.NewImageAsync(8)));
        using var enough = new CancellationTokenSource();
        var pulls = 0;
        var storm = Enumerable.Range(0, 8).Select(client => Task.Run(async () =>
        {
            for (var i = client; !enough.IsCancellationRequested; i++)
            {
                var (repository, layer) = images[i % images.Length];
                var read = await ReadFromAnyAsync(repository, layer, i);
                Assert.Equal((200, true, layer.Digest), (read.Status, read.Completed, read.Digest));
                Interlocked.Increment(ref pulls);
            }
        })).ToArray();
        foreach (var name in ClusterFixture.Services)
        {
            await fixture.Cluster.StopAsync(name);
            await fixture.Cluster.StartAsync(name);
        }
        await enough.CancelAsync();
        await Task.WhenAll(storm);
        Assert.InRange(pulls, 20, int.MaxValue);
    }

    /// <summary>As behind a proxy: who does not take the connection, or closes it before it has answered, is passed over.</summary>
    private async Task<BlobRead> ReadFromAnyAsync(string repository, Layer layer, int first)
    {
        for (var tries = 0; ; tries++)
        {
            try
            {
                return await BlobReader.ReadBlobAsync(fixture.Cluster.Apis[(first + tries) % 3], repository, layer.Digest);
            }
            catch (HttpRequestException) when (tries < 6)
            {
                // The next one.
            }
        }
    }

    private async Task<long> CountAsync(string digest) => long.TryParse(await fixture.Cluster.QueryAsync($"SELECT count FROM accesses WHERE digest = '{digest}'"), out var count) ? count : 0;

    private async Task NothingIsLeftBehindAsync()
    {
        await Eventually.Async(async () => await fixture.Cluster.QueryAsync("SELECT count(*) FROM fetches WHERE state IN ('Queued', 'Running')") == "0", TimeSpan.FromSeconds(30), "no row to be stuck");
        await Eventually.Async(async () => await fixture.Cluster.QueryAsync("SELECT count(*) FROM uploads") == "0", TimeSpan.FromSeconds(30), "no upload to be written down");
        await Eventually.Async(async () => (await fixture.Cluster.ListBucketAsync()).Uploads == 0, TimeSpan.FromSeconds(30), "no upload at the store");
        await Eventually.Async(async () => await OrphansAsync() == "0", TimeSpan.FromSeconds(30), "a row for every object");
        await Eventually.Async(
            () => !Directory.EnumerateFiles(Path.Combine(fixture.Cluster.DataDirectory, "services"), "*", SearchOption.AllDirectories).Any(file => file.Contains("/spool/", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(30), "no spool");
    }

    private async Task<string> OrphansAsync()
    {
        var keys = string.Join(", ", (await fixture.Cluster.ListBucketAsync()).Objects.Select(key => $"('{key}')"));
        return keys.Length == 0 ? "0" : await fixture.Cluster.QueryAsync(
            $"SELECT count(*) FROM (VALUES {keys}) o(key) WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE o.key = 'blobs/sha256/' || substr(digest, 8, 2) || '/' || substr(digest, 8) || '.' || fence)");
    }
}
