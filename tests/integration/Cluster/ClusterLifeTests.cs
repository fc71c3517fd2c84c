using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>Processes come and go, and nothing is lost or left behind.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterLifeTests(ClusterFixture fixture) : ClusterTest(fixture)
{
    private const long MiB = 1L << 20;

    [Theory]
    [InlineData(128, 0.5, true)]
    [InlineData(300, 1.0, true)] // While it is verified, and stored in parts.
    [InlineData(300, 1.0, false)] // The upload's id is known: no server needs to list it.
    public async Task When_everything_of_ours_is_killed_in_a_pull_the_next_one_works_and_nothing_is_left_behind(int mebibytes, double share, bool listsUploads)
    {
        Fixture.Store.ListsUploads = listsUploads;
        var (repository, layer) = await Fixture.NewImageAsync(mebibytes);
        await BlobReader.ReadManifestAsync(Fixture.Cluster.Apis[0], repository, "1");
        Fixture.Upstream.BytesPerSecond = 30 * MiB;
        var cut = BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[0], repository, layer.Digest);
        await Eventually.Async(() => Fixture.Upstream.Log.BlobBytes(layer.Digest) >= layer.Size * share, TimeSpan.FromSeconds(30), $"{share:P0} of the layer");
        if (!listsUploads)
            await Eventually.Async(
                async () => await Fixture.Cluster.QueryAsync($"SELECT (SELECT count(*) FROM uploads WHERE upload_id IS NOT NULL) + (SELECT count(*) FROM blobs WHERE digest = '{layer.Digest}')") != "0",
                TimeSpan.FromSeconds(30), "the upload to be under way");
        await Task.WhenAll(ClusterFixture.Services.Select(name => Fixture.Cluster.KillAsync(name)));
        Fixture.Upstream.BytesPerSecond = null;
        var ended = await cut;
        Assert.True(!ended.Completed || ended.Digest == layer.Digest, "a response completed with other bytes");
        foreach (var name in ClusterFixture.Services) await Fixture.Cluster.StartAsync(name);

        // The lost owner's lease goes first.
        await Eventually.Async(
            async () => await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[1], repository, layer.Digest) is { Completed: true, Status: 200 } read && read.Digest == layer.Digest,
            TimeSpan.FromSeconds(30), "the next pull to work");
        await NothingIsLeftBehindAsync();
    }

    [Fact]
    public async Task Everything_may_start_in_any_order()
    {
        string[] servers = ["postgres", "rabbitmq", "s3"];
        await Task.WhenAll(ClusterFixture.Services.Select(name => Fixture.Cluster.KillAsync(name)));
        await Task.WhenAll(servers.Select(name => Fixture.Cluster.StopAsync(name)));
        var services = ClusterFixture.Services.Select(name => Fixture.Cluster.StartAsync(name)).ToArray();
        // They are there, and wait.
        await Eventually.Async(async () => (await BlobReader.ReadAsync(new Uri(Fixture.Cluster.Apis[0], "/readyz"))).Status == 503, TimeSpan.FromSeconds(20), "an api that is not ready");
        await Task.WhenAll(servers.Select(server => Fixture.Cluster.StartAsync(server)));
        await Task.WhenAll(services);
        var (repository, layer) = await Fixture.NewImageAsync(3);
        var cold = await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[2], repository, layer.Digest);
        Assert.Equal((200, true, layer.Digest), (cold.Status, cold.Completed, cold.Digest));
    }

    [Fact]
    public async Task A_store_that_keeps_no_rules_and_a_key_that_makes_no_buckets_will_do()
    {
        var (said, asked) = (Fixture.Cluster.LogOf("janitor-1").Length, Fixture.Store.BucketRequests.Count);
        (Fixture.Store.KeepsRules, Fixture.Store.MakesBuckets) = (false, false);
        try
        {
            await Fixture.Cluster.KillAsync("janitor-1");
            await Fixture.Cluster.StartAsync("janitor-1");
            // By then it would have tried again.
            await Eventually.Async(() => Since().Count(r => r.EndsWith("?list-type", StringComparison.Ordinal)) >= 5, TimeSpan.FromSeconds(30), "some sweeps of the janitor");
            Assert.Equal(["PUT /entrepot?lifecycle"], Since().Where(r => r.StartsWith("PUT", StringComparison.Ordinal)));
            var log = Fixture.Cluster.LogOf("janitor-1")[said..];
            Assert.Equal(1, Count(log, "keeps no rule that ends forgotten uploads"));
            Assert.Contains("MalformedXML, 400", log, StringComparison.Ordinal);
            Assert.DoesNotContain("The object store is not there yet", log, StringComparison.Ordinal);
        }
        finally
        {
            (Fixture.Store.KeepsRules, Fixture.Store.MakesBuckets) = (true, true);
        }

        // The bucket has rules, which may be somebody else's: they are left alone.
        asked = Fixture.Store.BucketRequests.Count;
        await Fixture.Cluster.KillAsync("janitor-1");
        await Fixture.Cluster.StartAsync("janitor-1");
        await Eventually.Async(() => Since().Any(r => r == "GET /entrepot?lifecycle"), TimeSpan.FromSeconds(30), "the janitor to look at the rules");
        await Eventually.Async(() => Since().Count(r => r.EndsWith("?list-type", StringComparison.Ordinal)) >= 5, TimeSpan.FromSeconds(30), "some sweeps of the janitor");
        Assert.DoesNotContain(Since(), r => r.StartsWith("PUT", StringComparison.Ordinal));

        IEnumerable<string> Since() => Fixture.Store.BucketRequests.Skip(asked);
        static int Count(string text, string words) => text.Split(words).Length - 1;
    }

    [Fact]
    public async Task What_three_replicas_have_served_is_counted_in_the_database()
    {
        var (repository, _) = await Fixture.NewImageAsync(1);
        var manifest = await BlobReader.ReadManifestAsync(Fixture.Cluster.Apis[0], repository, "1");
        var before = await CountAsync(manifest.Digest);
        foreach (var api in Fixture.Cluster.Apis)
            for (var i = 0; i < 20; i++)
                Assert.Equal(200, (await BlobReader.ReadManifestAsync(api, repository, manifest.Digest)).Status);
        await Eventually.Async(async () => await CountAsync(manifest.Digest) >= before + 60, TimeSpan.FromSeconds(20), "the accesses of all replicas");
        Assert.InRange(await CountAsync(manifest.Digest) - before, 60, 61); // The first pull may have been counted since.
    }

    [Fact]
    public async Task A_rolling_restart_in_a_storm_of_pulls_loses_none()
    {
        var images = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Fixture.NewImageAsync(8)));
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
        try
        {
            foreach (var name in ClusterFixture.Services)
            {
                await Fixture.Cluster.StopAsync(name);
                await Fixture.Cluster.StartAsync(name);
            }
        }
        finally
        {
            await enough.CancelAsync(); // It would go on in the next test.
        }
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
                return await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[(first + tries) % 3], repository, layer.Digest);
            }
            catch (HttpRequestException) when (tries < 6)
            {
                // The next one.
            }
        }
    }

    private async Task<long> CountAsync(string digest) => long.TryParse(await Fixture.Cluster.QueryAsync($"SELECT count FROM accesses WHERE digest = '{digest}'"), out var count) ? count : 0;

    private async Task NothingIsLeftBehindAsync()
    {
        await Eventually.Async(async () => await Fixture.Cluster.QueryAsync("SELECT count(*) FROM fetches WHERE state IN ('Queued', 'Running')") == "0", TimeSpan.FromSeconds(30), "no row to be stuck");
        await Eventually.Async(async () => await Fixture.Cluster.QueryAsync("SELECT count(*) FROM uploads") == "0", TimeSpan.FromSeconds(30), "no upload to be written down");
        await Eventually.Async(async () => (await Fixture.Cluster.ListBucketAsync()).Uploads == 0, TimeSpan.FromSeconds(30), "no upload at the store");
        await Eventually.Async(async () => await OrphansAsync() == "0", TimeSpan.FromSeconds(30), "a row for every object");
        await Eventually.Async(
            () => !Directory.EnumerateFiles(Path.Combine(Fixture.Cluster.DataDirectory, "services"), "*", SearchOption.AllDirectories).Any(file => file.Contains("/spool/", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(30), "no spool");
    }

    private async Task<string> OrphansAsync()
    {
        var keys = string.Join(", ", (await Fixture.Cluster.ListBucketAsync()).Objects.Select(key => $"('{key}')"));
        return keys.Length == 0 ? "0" : await Fixture.Cluster.QueryAsync(
            $"SELECT count(*) FROM (VALUES {keys}) o(key) WHERE NOT EXISTS (SELECT 1 FROM blobs WHERE o.key = 'blobs/sha256/' || substr(digest, 8, 2) || '/' || substr(digest, 8) || '.' || fence)");
    }
}
