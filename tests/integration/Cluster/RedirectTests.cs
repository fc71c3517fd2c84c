using System.Net;
using System.Web;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>Clients in some networks read large stored blobs from the S3 server themselves.</summary>
[Collection(ClusterCollection.Name)]
public sealed class RedirectTests(ClusterFixture fixture) : ClusterTest(fixture)
{
    private static readonly BlobReadOptions Redirected = new() { From = ClusterFixture.RedirectedClient };

    [Fact]
    public async Task A_hit_sends_a_client_of_such_a_network_to_the_store_where_it_gets_the_bytes()
    {
        var (repository, layer) = await Fixture.NewHeldImageAsync();
        var before = (await Fixture.Cluster.MetricsOfAsync("api-1")).Value("entrepot_redirects_total");
        var answer = await ReadAsync(repository, layer, Redirected);
        Assert.Equal((307, "HIT", 0L, "0"), (answer.Status, answer.XCache, answer.BytesRead, answer.Headers["Content-Length"]));
        Assert.Equal((layer.Digest, "no-store"), (answer.Headers["Docker-Content-Digest"], answer.Headers["Cache-Control"]));
        Assert.Equal(before + 1, (await Fixture.Cluster.MetricsOfAsync("api-1")).Value("entrepot_redirects_total"));

        var location = new Uri(answer.Headers["Location"]);
        Assert.Equal($"localhost:{Fixture.PublicStore.Port}", location.Authority);
        Assert.Equal("1200", HttpUtility.ParseQueryString(location.Query)["X-Amz-Expires"]);
        var body = await BlobReader.ReadAsync(location);
        Assert.Equal((200, true, layer.Digest), (body.Status, body.Completed, body.Digest));
        Assert.DoesNotContain("X-Amz-Signature", Fixture.Cluster.LogOf("api-1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_range_is_redirected_and_the_store_answers_it()
    {
        var (repository, layer) = await Fixture.NewHeldImageAsync();
        var range = Redirected with { Range = "bytes=1000000-1000999" };
        var answer = await ReadAsync(repository, layer, range);
        Assert.Equal(307, answer.Status);
        var there = await BlobReader.ReadAsync(new Uri(answer.Headers["Location"]), range);
        var here = await ReadAsync(repository, layer, range with { From = null });
        Assert.Equal((206, $"bytes 1000000-1000999/{layer.Size}", here.Digest), (there.Status, there.Headers["Content-Range"], there.Digest));
        Assert.Equal(206, here.Status);
    }

    [Theory]
    [InlineData("127.0.0.1", null, 200)]
    [InlineData("127.0.0.76", null, 200)]
    [InlineData("127.0.0.1", "127.0.0.77", 200)] // Anybody can write that.
    [InlineData("127.0.0.77", "192.0.2.1", 307)]
    [InlineData("127.0.0.78", "127.0.0.77", 307)]
    [InlineData("127.0.0.78", "192.0.2.1, 127.0.0.77", 307)]
    [InlineData("127.0.0.78", "127.0.0.77, 192.0.2.1", 200)]
    [InlineData("127.0.0.78", null, 200)]
    public async Task Who_the_client_is_says_its_connection_or_a_trusted_proxy(string from, string? forwardedFor, int status)
    {
        var (repository, layer) = await Fixture.NewHeldImageAsync();
        var answer = await ReadAsync(repository, layer, new BlobReadOptions
        {
            From = IPAddress.Parse(from),
            Headers = forwardedFor is null ? new Dictionary<string, string>() : new() { ["X-Forwarded-For"] = forwardedFor },
        });
        Assert.Equal(status, answer.Status);
        if (status == 200) Assert.Equal((true, layer.Digest), (answer.Completed, answer.Digest));
    }

    [Theory]
    [InlineData("HEAD", "", "", 200)]
    [InlineData("GET", "Range", "bytes=0-9,20-29", 206)]
    [InlineData("GET", "Range", "bytes=9-0", 416)]
    [InlineData("GET", "If-None-Match", "*", 304)]
    [InlineData("GET", "If-None-Match", "\"x\"", 200)]
    [InlineData("GET", "If-Range", "\"x\"", 200)]
    [InlineData("GET", "Authorization", "Basic eDp5", 200)]
    public async Task What_only_we_can_answer_is_answered_here(string method, string header, string value, int status)
    {
        var (repository, layer) = await Fixture.NewHeldImageAsync();
        var answer = await ReadAsync(repository, layer, Redirected with
        {
            Method = new HttpMethod(method),
            Headers = header.Length == 0 ? new Dictionary<string, string>() : new() { [header] = value },
        });
        Assert.Equal(status, answer.Status);
        Assert.DoesNotContain("Location", answer.Headers.Keys);
    }

    [Fact]
    public async Task A_small_blob_is_answered_here_and_so_is_a_cold_one()
    {
        var (repository, layer) = await Fixture.NewImageAsync(2);
        var manifest = await BlobReader.ReadManifestAsync(Api, repository, "1");
        Assert.Equal(200, manifest.Status);
        var cold = await ReadAsync(repository, layer, Redirected);
        Assert.Equal((200, "MISS", layer.Digest), (cold.Status, cold.XCache, cold.Digest));
        var config = await Fixture.Cluster.QueryAsync($"SELECT child FROM manifest_references WHERE parent = '{manifest.Digest}' AND child <> '{layer.Digest}'");
        foreach (var _ in Enumerable.Range(0, 3))
        {
            var small = await BlobReader.ReadBlobAsync(Api, repository, config, Redirected);
            Assert.Equal((200, config), (small.Status, small.Digest));
        }
    }

    [Fact]
    public async Task An_object_that_has_vanished_is_pulled_again_and_its_clients_are_not_sent_to_look_for_it()
    {
        var (repository, layer) = await Fixture.NewHeldImageAsync();
        Assert.Equal(307, (await ReadAsync(repository, layer, Redirected)).Status);
        await Fixture.Cluster.EmptyBucketAsync(andBucket: false);
        var healed = await ReadAsync(repository, layer, Redirected);
        Assert.Equal((200, true, layer.Digest), (healed.Status, healed.Completed, healed.Digest));
        await Eventually.Async(async () => (await ReadAsync(repository, layer, Redirected)).Status == 307, TimeSpan.FromSeconds(20), "it to be stored again");
    }

    [ClientFact(Skopeo.Command)]
    public async Task Skopeo_follows()
    {
        var (repository, _) = await Fixture.NewHeldImageAsync();
        await using var inTheNetwork = new TcpRelay(() => Api.Port, ClusterFixture.RedirectedClient);
        var before = Fixture.PublicStore.Connections;
        await Skopeo.PullAsync(inTheNetwork.Url, $"{repository}:1");
        Assert.InRange(Fixture.PublicStore.Connections, before + 1, int.MaxValue);
    }

    private Task<BlobRead> ReadAsync(string repository, Layer layer, BlobReadOptions options) => BlobReader.ReadBlobAsync(Api, repository, layer.Digest, options);
}
