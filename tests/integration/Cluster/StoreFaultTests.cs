using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>One replica gets no object out of a store that works for all others, once or for long: its clients get the bytes later, or 503, and never a body that is cut.</summary>
[Collection(ClusterCollection.Name)]
public sealed class StoreFaultTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTest(fixture)
{
    /// <summary>The replica behind <see cref="ClusterFixture.ApiStore"/>.</summary>
    private Uri Behind => Fixture.Cluster.Apis[2];

    [Fact]
    public async Task An_answer_of_500_is_of_one_object_and_costs_nobody_anything()
    {
        var (held, other) = (await HeldAsync(), await HeldAsync());
        var fault = Fixture.ApiStore.Inject(Fault.Status(500), KeyOf(held.Layer), count: 1);
        var read = await ReadAsync(held);
        Assert.Equal((1, 200, true, held.Layer.Digest), (fault.Hits, read.Status, read.Completed, read.Digest));

        fault = Fixture.ApiStore.Inject(Fault.Status(500), KeyOf(held.Layer));
        var cut = ReadAsync(held);
        await Eventually.Async(() => fault.Hits > 0, TimeSpan.FromSeconds(20), "the store to be asked");
        var hit = await ReadAsync(other);
        Assert.Equal((200, "HIT", true, other.Layer.Digest), (hit.Status, hit.XCache, hit.Completed, hit.Digest));
        fault.Heal();
        Assert.Equal((200, true, held.Layer.Digest), ((await cut).Status, (await cut).Completed, (await cut).Digest));
    }

    [Fact]
    public async Task A_GET_that_is_not_answered_costs_its_client_a_pause()
    {
        var held = await HeldAsync();
        var hang = Fixture.ApiStore.Inject(Fault.HangBeforeHeaders(), KeyOf(held.Layer), count: 1);
        var read = await ReadAsync(held);
        hang.Heal();
        output.WriteLine($"first byte after {read.TimeToFirstByte.TotalSeconds:0.0} s");
        Assert.Equal((1, 200, true, held.Layer.Digest), (hang.Hits, read.Status, read.Completed, read.Digest));
        Fixture.Upstream.Log.AssertNoByteTwice(held.Layer.Digest, held.Layer.Size);
    }

    [Fact]
    public async Task A_replica_that_gets_at_no_object_tells_its_clients_to_come_back()
    {
        var held = await HeldAsync();
        var fault = Fixture.ApiStore.Inject(Fault.Status(503), KeyOf(held.Layer));
        var read = await ReadAsync(held);
        fault.Heal();
        Assert.Equal((503, null), (read.Status, read.XCache));
        Assert.True(read.Headers.ContainsKey("Retry-After"));
        Assert.InRange(read.Elapsed.TotalSeconds, 0, 10);
        Fixture.Upstream.Log.AssertNoByteTwice(held.Layer.Digest, held.Layer.Size);
        var again = await ReadAsync(held);
        Assert.Equal((200, "HIT", true, held.Layer.Digest), (again.Status, again.XCache, again.Completed, again.Digest));
    }

    private Task<BlobRead> ReadAsync((string Repository, Layer Layer) held) => BlobReader.ReadBlobAsync(Behind, held.Repository, held.Layer.Digest);

    /// <summary>A blob that is stored, and known to that replica.</summary>
    private async Task<(string Repository, Layer Layer)> HeldAsync()
    {
        var (repository, layer) = await Fixture.NewImageAsync(2);
        await BlobReader.ReadManifestAsync(Behind, repository, "1");
        await Eventually.Async(async () => await BlobReader.ReadBlobAsync(Behind, repository, layer.Digest) is { XCache: "HIT" }, TimeSpan.FromSeconds(20), "the blob to be held");
        return (repository, layer);
    }

    private static string KeyOf(Layer layer) => layer.Digest["sha256:".Length..];
}
