using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>One server of the cluster is really away, and really comes back: what still works meanwhile (the table of docs/operations.md).</summary>
[Collection(ClusterCollection.Name)]
public sealed class DegradedTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTest(fixture)
{
    private const long MiB = 1L << 20;

    /// <summary>How many a fetcher has by default.</summary>
    private const int Slots = 32;

    public enum Loss
    {
        Stopped,
        Paused,

        /// <summary>The broker takes no messages: it is short of memory.</summary>
        InAlarm,
    }

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    [InlineData(Loss.InAlarm)]
    public Task Without_the_broker_everything_works_a_moment_slower(Loss loss) => WhileAwayAsync("rabbitmq", loss, async held =>
    {
        await AssertHitAsync(held);
        var (repository, layer) = await Fixture.NewImageAsync(3);
        var miss = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        output.WriteLine($"a miss without the broker: first byte after {miss.TimeToFirstByte.TotalSeconds:0.00} s");
        Assert.Equal((200, true, layer.Digest), (miss.Status, miss.Completed, miss.Digest));
        Assert.InRange(miss.TimeToFirstByte.TotalSeconds, 0, 3);
    });

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    public Task Without_the_database_what_is_known_is_served_and_a_miss_is_503(Loss loss) => WhileAwayAsync("postgres", loss, async held =>
    {
        await AssertHitAsync(held);
        var (repository, layer) = await Fixture.NewImageAsync(1);
        AssertSoonUnavailable(await BlobReader.ReadBlobAsync(Api, repository, layer.Digest));
    });

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    public Task A_running_pull_outlives_the_database_and_is_stored_when_it_is_back(Loss loss) => DuringAPullAsync("postgres", loss);

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    [InlineData(Loss.InAlarm)]
    public Task A_running_pull_outlives_the_broker(Loss loss) => DuringAPullAsync("rabbitmq", loss);

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    public Task A_running_pull_outlives_the_object_store_and_is_stored_when_it_is_back(Loss loss) => DuringAPullAsync("s3", loss);

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    public Task Without_the_object_store_everything_comes_from_the_upstream(Loss loss) => WhileAwayAsync("s3", loss, async held =>
    {
        var hit = await BlobReader.ReadBlobAsync(Api, held.Repository, held.Layer.Digest);
        Assert.Equal((200, true, held.Layer.Digest), (hit.Status, hit.Completed, hit.Digest));
        Assert.InRange(hit.TimeToFirstByte.TotalSeconds, 0, 10);
        var (repository, layer) = await Fixture.NewImageAsync(3);
        for (var i = 0; i < 2; i++)
        {
            var miss = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
            Assert.Equal((200, true, layer.Digest), (miss.Status, miss.Completed, miss.Digest));
        }
        // The second one was read from the spool that waits for the store.
        Fixture.Upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    });

    [Theory]
    [InlineData(Loss.Stopped)]
    [InlineData(Loss.Paused)]
    public Task Blobs_that_wait_for_the_object_store_keep_nobody_from_being_fetched(Loss loss) => WhileAwayAsync("s3", loss, async _ =>
    {
        await Fixture.KillOtherFetchersAsync();
        // More of them than the one fetcher has slots.
        var (repository, layers) = await Fixture.NewImageOfLayersAsync(Slots + 8);
        var reads = await Task.WhenAll(layers.Select(layer => BlobReader.ReadBlobAsync(Api, repository, layer.Digest)));
        Assert.All(reads.Zip(layers), read => Assert.Equal((200, true, read.Second.Digest), (read.First.Status, read.First.Completed, read.First.Digest)));

        (repository, var last) = await Fixture.NewImageAsync(1);
        var manifest = await BlobReader.ReadManifestAsync(Api, repository, "1");
        var miss = await BlobReader.ReadBlobAsync(Api, repository, last.Digest);
        Assert.Equal((200, 200, true, last.Digest), (manifest.Status, miss.Status, miss.Completed, miss.Digest));
        Assert.InRange((manifest.Elapsed + miss.Elapsed).TotalSeconds, 0, 9);
    });

    [Fact]
    public async Task Without_fetchers_hits_are_served_a_miss_is_503_and_a_running_pull_waits_its_time_for_one_and_ends_short()
    {
        // A minute is what others wait.
        const string impatient = "api-3";
        var patience = TimeSpan.FromSeconds(5);
        await Fixture.Cluster.RestartWithAsync(impatient, [$"Entrepot__Api__BodyStallTimeout={patience.TotalSeconds}s"]);
        var held = await Fixture.NewHeldImageAsync();
        var (running, layer) = await Fixture.NewImageAsync(64);
        Fixture.Upstream.BytesPerSecond = 4 * MiB;
        var pulls = new[] { Fixture.Cluster.UrlOf(impatient), Api }.Select(api => BlobReader.ReadBlobAsync(api, running, layer.Digest)).ToArray();
        await Eventually.Async(() => Fixture.Upstream.Log.BlobBytes(layer.Digest) > 4 * MiB, TimeSpan.FromSeconds(20), "the download to be under way");
        await Task.WhenAll(ClusterFixture.Fetchers.Select(name => Fixture.Cluster.KillAsync(name)));
        var lost = TestClock.Now;
        Fixture.Upstream.BytesPerSecond = null;

        await AssertHitAsync(held);
        var (repository, cold) = await Fixture.NewImageAsync(1);
        AssertSoonUnavailable(await BlobReader.ReadBlobAsync(Api, repository, cold.Digest));

        var ended = await pulls[0];
        output.WriteLine($"ended {(ended.FinishedAt - lost).TotalSeconds:0.0} s after the fetchers, with {ended.BytesRead} of {layer.Size} bytes");
        Assert.Equal((200, BodyEnd.Early), (ended.Status, ended.End));
        Assert.InRange(ended.BytesRead, 1, layer.Size - 1);
        Assert.InRange(ended.FinishedAt - lost, patience - TimeSpan.FromSeconds(1), patience + TimeSpan.FromSeconds(3));

        // The other one has waited on, and finds the next fetcher.
        Assert.False(pulls[1].IsCompleted);
        await Task.WhenAll(ClusterFixture.Fetchers.Select(name => Fixture.Cluster.StartAsync(name)));
        var whole = await pulls[1].WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((200, true, layer.Digest), (whole.Status, whole.Completed, whole.Digest));
    }

    [Fact]
    public async Task Without_the_upstream_what_is_held_is_served_its_tags_stale_a_miss_is_503_and_a_running_pull_waits_for_it()
    {
        var held = await Fixture.NewHeldImageAsync();
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(Api, held.Repository, ClusterFixture.DueSoon)).Status);
        var (running, layer) = await Fixture.NewImageAsync(16);
        Fixture.Upstream.BytesPerSecond = 4 * MiB;
        var pull = BlobReader.ReadBlobAsync(Api, running, layer.Digest);
        await Eventually.Async(() => Fixture.Upstream.Log.BlobBytes(layer.Digest) > 2 * MiB, TimeSpan.FromSeconds(20), "the download to be under way");
        await Fixture.Upstream.StopAsync();

        await AssertHitAsync(held);
        await Eventually.Async(
            async () => await BlobReader.ReadManifestAsync(Api, held.Repository, ClusterFixture.DueSoon) is { Status: 200, XCache: "STALE" } stale && stale.Headers["Warning"].StartsWith("299", StringComparison.Ordinal),
            TimeSpan.FromSeconds(10), "the tag to be due");
        var (repository, cold) = await Fixture.NewImageAsync(1);
        AssertSoonUnavailable(await BlobReader.ReadBlobAsync(Api, repository, cold.Digest));
        AssertSoonUnavailable(await BlobReader.ReadManifestAsync(Api, repository, "1"));

        Assert.False(pull.IsCompleted);
        Fixture.Upstream.BytesPerSecond = null;
        await Fixture.Upstream.StartAsync();
        var whole = await pull.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((200, true, layer.Digest), (whole.Status, whole.Completed, whole.Digest));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Objects_that_vanish_behind_our_back_are_pulled_again_and_so_is_their_bucket_made(bool andBucket)
    {
        var held = await Fixture.NewHeldImageAsync();
        await Fixture.Cluster.EmptyBucketAsync(andBucket);
        foreach (var api in Fixture.Cluster.Apis)
            await Eventually.Async(
                async () => await BlobReader.ReadBlobAsync(api, held.Repository, held.Layer.Digest) is { Completed: true } read && read.Digest == held.Layer.Digest, TimeSpan.FromSeconds(20), $"a whole blob from {api}");
        var (repository, layer) = await Fixture.NewImageAsync(1);
        var cold = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        Assert.Equal((200, true, layer.Digest), (cold.Status, cold.Completed, cold.Digest));
        await Eventually.Async(async () => (await Fixture.Cluster.ListBucketAsync()).Objects.Count >= 2, TimeSpan.FromSeconds(20), "both to be stored");
    }

    private async Task DuringAPullAsync(string server, Loss loss)
    {
        var (repository, layer) = await Fixture.NewImageAsync(64);
        await BlobReader.ReadManifestAsync(Api, repository, "1");
        Fixture.Upstream.BytesPerSecond = 4 * MiB;
        var read = BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        await Eventually.Async(() => Fixture.Upstream.Log.BlobBytes(layer.Digest) > 4 * MiB, TimeSpan.FromSeconds(20), "the download to be under way");
        await LoseAsync(server, loss);
        Fixture.Upstream.BytesPerSecond = null;
        var result = await read.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((200, true, layer.Digest), (result.Status, result.Completed, result.Digest));
        await MendAsync(server, loss);
        await Fixture.UntilStoredAsync(layer.Digest);
        Fixture.Upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }

    private async Task WhileAwayAsync(string server, Loss loss, Func<(string Repository, Layer Layer), Task> look)
    {
        var held = await Fixture.NewHeldImageAsync();
        await LoseAsync(server, loss);
        await look(held);
        await MendAsync(server, loss);
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Api, held.Repository, held.Layer.Digest) is { Completed: true }, TimeSpan.FromSeconds(30), "pulls to work again");
        var (repository, layer) = await Fixture.NewImageAsync(1);
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Api, repository, layer.Digest) is { Completed: true }, TimeSpan.FromSeconds(30), "misses to work again");
    }

    private Task LoseAsync(string server, Loss loss) => loss switch
    {
        Loss.Stopped => Fixture.Cluster.StopAsync(server),
        Loss.Paused => Fixture.Cluster.PauseAsync(server),
        _ => Fixture.Cluster.StarveBrokerAsync(),
    };

    private Task MendAsync(string server, Loss loss) => loss switch
    {
        Loss.Stopped => Fixture.Cluster.StartAsync(server),
        Loss.Paused => Fixture.Cluster.ResumeAsync(server),
        _ => Fixture.Cluster.FeedBrokerAsync(),
    };

    private static void AssertSoonUnavailable(BlobRead miss)
    {
        Assert.Equal(503, miss.Status);
        Assert.InRange(miss.Elapsed.TotalSeconds, 0, 10);
        Assert.True(miss.Headers.ContainsKey("Retry-After"));
    }

    private async Task AssertHitAsync((string Repository, Layer Layer) held)
    {
        var manifest = await BlobReader.ReadManifestAsync(Api, held.Repository, "1");
        Assert.Equal((200, "HIT"), (manifest.Status, manifest.XCache));
        var blob = await BlobReader.ReadBlobAsync(Api, held.Repository, held.Layer.Digest);
        Assert.Equal((200, "HIT", true, held.Layer.Digest), (blob.Status, blob.XCache, blob.Completed, blob.Digest));
    }
}
