using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>Pulls through several api replicas at once.</summary>
[Collection(ClusterCollection.Name)]
public sealed class ClusterPullTests(ClusterFixture fixture) : ClusterTest(fixture)
{
    private const long MiB = 1L << 20;

    [Fact]
    public async Task A_cold_layer_is_fetched_once_for_all_replicas_and_comes_live_to_every_client()
    {
        var (repository, layer) = await Fixture.NewImageAsync(192);
        Fixture.Upstream.BytesPerSecond = 60 * MiB;
        var reads = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[i % 3], repository, layer.Digest)));

        Assert.All(reads, r => Assert.Equal((200, true, layer.Digest), (r.Status, r.Completed, r.Digest)));
        Fixture.Upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
        Assert.Equal(1, reads.Count(r => r.XCache == "MISS"));
    }

    [Fact]
    public async Task What_one_replica_has_pulled_every_replica_serves_from_the_store_without_the_upstream()
    {
        var (repository, layer) = await Fixture.NewImageAsync(3);
        await BlobReader.ReadManifestAsync(Fixture.Cluster.Apis[0], repository, "1");
        Assert.Equal("MISS", (await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[0], repository, layer.Digest)).XCache);
        var asked = Fixture.Upstream.Log.All.Count;
        foreach (var api in Fixture.Cluster.Apis)
        {
            await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(api, repository, layer.Digest)) is { XCache: "HIT", Completed: true } read && read.Digest == layer.Digest,
                TimeSpan.FromSeconds(10), $"a hit at {api}");
            var manifest = await BlobReader.ReadManifestAsync(api, repository, "1");
            Assert.Equal((200, "HIT"), (manifest.Status, manifest.XCache));
            var range = await BlobReader.ReadBlobAsync(api, repository, layer.Digest, new BlobReadOptions { Range = "bytes=1000000-1000999" });
            Assert.Equal((206, 1000L), (range.Status, range.BytesRead));
        }
        Assert.Equal(asked, Fixture.Upstream.Log.All.Count);
    }
}
