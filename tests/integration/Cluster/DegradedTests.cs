using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>One server of the cluster is really away, and really comes back: what still works meanwhile (the table of docs/operations.md).</summary>
[Collection(ClusterCollection.Name)]
public sealed class DegradedTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const long MiB = 1L << 20;

    private Uri Api => fixture.Cluster.Apis[0];

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
        var (repository, layer) = await fixture.NewImageAsync(3);
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
        var (repository, layer) = await fixture.NewImageAsync(1);
        var miss = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        Assert.Equal(503, miss.Status);
        Assert.InRange(miss.Elapsed.TotalSeconds, 0, 10);
        Assert.True(miss.Headers.ContainsKey("Retry-After"));
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
        var (repository, layer) = await fixture.NewImageAsync(3);
        for (var i = 0; i < 2; i++)
        {
            var miss = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
            Assert.Equal((200, true, layer.Digest), (miss.Status, miss.Completed, miss.Digest));
        }
        // The second one was read from the spool that waits for the store.
        fixture.Upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    });

    [Fact]
    public async Task Without_fetchers_hits_are_served_and_a_miss_is_503_within_ten_seconds()
    {
        var held = await HeldAsync();
        var fetchers = ClusterFixture.Fetchers;
        await Task.WhenAll(fetchers.Select(f => fixture.Cluster.KillAsync(f)));
        try
        {
            await AssertHitAsync(held);
            var (repository, layer) = await fixture.NewImageAsync(1);
            var miss = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
            Assert.Equal(503, miss.Status);
            Assert.InRange(miss.Elapsed.TotalSeconds, 0, 10);
        }
        finally
        {
            foreach (var fetcher in fetchers) await fixture.Cluster.StartAsync(fetcher);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Objects_that_vanish_behind_our_back_are_pulled_again_and_so_is_their_bucket_made(bool andBucket)
    {
        var held = await HeldAsync();
        await fixture.Cluster.EmptyBucketAsync(andBucket);
        foreach (var api in fixture.Cluster.Apis)
            await Eventually.Async(
                async () => await BlobReader.ReadBlobAsync(api, held.Repository, held.Layer.Digest) is { Completed: true } read && read.Digest == held.Layer.Digest, TimeSpan.FromSeconds(20), $"a whole blob from {api}");
        var (repository, layer) = await fixture.NewImageAsync(1);
        var cold = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        Assert.Equal((200, true, layer.Digest), (cold.Status, cold.Completed, cold.Digest));
        await Eventually.Async(async () => (await fixture.Cluster.ListBucketAsync()).Objects.Count >= 2, TimeSpan.FromSeconds(20), "both to be stored");
    }

    private async Task DuringAPullAsync(string server, Loss loss)
    {
        var (repository, layer) = await fixture.NewImageAsync(64);
        await BlobReader.ReadManifestAsync(Api, repository, "1");
        fixture.Upstream.BytesPerSecond = 4 * MiB;
        var read = BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        await Eventually.Async(() => fixture.Upstream.Log.BlobBytes(layer.Digest) > 4 * MiB, TimeSpan.FromSeconds(20), "the download to be under way");
        await LoseAsync(server, loss);
        fixture.Upstream.BytesPerSecond = null;
        try
        {
            var result = await read.WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal((200, true, layer.Digest), (result.Status, result.Completed, result.Digest));
        }
        finally
        {
            await MendAsync(server, loss);
        }
        await Eventually.Async(async () => await fixture.Cluster.QueryAsync($"SELECT count(*) FROM blobs WHERE digest = '{layer.Digest}'") == "1", TimeSpan.FromSeconds(30), "the blob to be stored");
        fixture.Upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }

    private async Task WhileAwayAsync(string server, Loss loss, Func<(string Repository, Layer Layer), Task> look)
    {
        var held = await HeldAsync();
        await LoseAsync(server, loss);
        try
        {
            await look(held);
        }
        finally
        {
            await MendAsync(server, loss);
        }
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Api, held.Repository, held.Layer.Digest) is { Completed: true }, TimeSpan.FromSeconds(30), "pulls to work again");
        var (repository, layer) = await fixture.NewImageAsync(1);
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Api, repository, layer.Digest) is { Completed: true }, TimeSpan.FromSeconds(30), "misses to work again");
    }

    private Task LoseAsync(string server, Loss loss) => loss switch
    {
        Loss.Stopped => fixture.Cluster.StopAsync(server),
        Loss.Paused => fixture.Cluster.PauseAsync(server),
        _ => fixture.Cluster.RabbitMqCtlAsync(["set_vm_memory_high_watermark", "0"]),
    };

    private Task MendAsync(string server, Loss loss) => loss switch
    {
        Loss.Stopped => fixture.Cluster.StartAsync(server),
        Loss.Paused => fixture.Cluster.ResumeAsync(server),
        _ => fixture.Cluster.RabbitMqCtlAsync(["set_vm_memory_high_watermark", "absolute", "512MB"]),
    };

    /// <summary>A blob that is stored, and known to the first replica.</summary>
    private async Task<(string Repository, Layer Layer)> HeldAsync()
    {
        var (repository, layer) = await fixture.NewImageAsync(2);
        await BlobReader.ReadManifestAsync(Api, repository, "1");
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Api, repository, layer.Digest) is { XCache: "HIT" }, TimeSpan.FromSeconds(20), "the blob to be held");
        return (repository, layer);
    }

    private async Task AssertHitAsync((string Repository, Layer Layer) held)
    {
        var manifest = await BlobReader.ReadManifestAsync(Api, held.Repository, "1");
        Assert.Equal((200, "HIT"), (manifest.Status, manifest.XCache));
        var blob = await BlobReader.ReadBlobAsync(Api, held.Repository, held.Layer.Digest);
        Assert.Equal((200, "HIT", true, held.Layer.Digest), (blob.Status, blob.XCache, blob.Completed, blob.Digest));
    }
}
