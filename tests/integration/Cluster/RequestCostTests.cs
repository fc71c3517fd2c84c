using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>What a request costs the servers behind, as they themselves count it.</summary>
[Collection(ClusterCollection.Name)]
public sealed class RequestCostTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTest(fixture)
{
    private const int Requests = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(6);

    [Fact]
    public async Task Ten_thousand_warm_manifests_cost_no_query_no_object_request_and_a_message_in_five_seconds()
    {
        var (repository, _) = await Fixture.NewImageAsync(1);
        var digest = (await BlobReader.ReadManifestAsync(Api, repository, "1")).Digest;
        Assert.Equal("HIT", (await BlobReader.ReadManifestAsync(Api, repository, digest)).XCache);
        await using var bus = await BusMeter.StartNewAsync(Fixture.Cluster.BrokerUrl);

        var idle = await CostOfAsync(bus, () => Task.CompletedTask);
        var busy = await CostOfAsync(bus, () => GetAllAsync($"/v2/{repository}/manifests/{digest}", $"/v2/{repository}/manifests/1"));

        output.WriteLine($"in {Window.TotalSeconds} s, idle and with {Requests} manifests: statements {idle.Statements} and {busy.Statements}, objects {idle.Objects} and {busy.Objects}, messages {idle.Messages} and {busy.Messages}");
        Assert.Equal(0, busy.Objects);
        // At least the word of what was served, every five seconds: a meter that sees none is blind.
        Assert.InRange(busy.Messages, 1, idle.Messages + 2);
        // What is asked by the clock may fall into one window once more than into the other.
        Assert.InRange(busy.Statements, 0, idle.Statements + 30);
    }

    [Fact]
    public async Task Ten_thousand_warm_blobs_cost_ten_thousand_object_GETs()
    {
        // Too large for memory.
        var (repository, layer) = ("library/forty", Fixture.Images.Forty.Layers.First(l => l.Size is > 80 << 10 and < 128 << 10));
        await BlobReader.ReadManifestAsync(Api, repository, "1");
        await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
        await Fixture.UntilStoredAsync(layer.Digest);
        var before = Fixture.Cluster.CountObjectRequests("GET");
        Assert.Equal("HIT", (await BlobReader.ReadBlobAsync(Api, repository, layer.Digest)).XCache);
        // The store writes its log a little later.
        await Eventually.Async(() => Fixture.Cluster.CountObjectRequests("GET") > before, TimeSpan.FromSeconds(10), "the first GET to be in the store's log");

        before = Fixture.Cluster.CountObjectRequests("GET");
        await GetAllAsync($"/v2/{repository}/blobs/{layer.Digest}");
        await Eventually.Async(() => Fixture.Cluster.CountObjectRequests("GET") >= before + Requests, TimeSpan.FromSeconds(10), "the last GET to be in the store's log");
        Assert.Equal(Requests, Fixture.Cluster.CountObjectRequests("GET") - before);
    }

    [Fact]
    public async Task A_cold_blob_costs_at_most_eight_statements()
    {
        const int blobs = 40;
        var images = new List<(string Repository, Layer Layer)>();
        for (var i = 0; i < blobs; i++) images.Add(await Fixture.NewImageAsync(1));
        foreach (var (repository, _) in images) await BlobReader.ReadManifestAsync(Api, repository, "1");
        var stored = await StoredAsync();
        var started = TestClock.Now;
        var before = await StatementsAsync();
        foreach (var ((repository, layer), i) in images.Select((image, i) => (image, i)))
        {
            var read = await BlobReader.ReadBlobAsync(Api, repository, layer.Digest);
            Assert.Equal((200, "MISS", true), (read.Status, read.XCache, read.Completed));
            // By its metrics: a query would count.
            await Eventually.Async(async () => await StoredAsync() >= stored + i + 1, TimeSpan.FromSeconds(10), "the blob to be committed");
        }
        var busy = await StatementsAsync() - before;
        var took = TestClock.Now - started;
        before = await StatementsAsync();
        await Task.Delay(took); // As long again: what the clock alone costs.
        var idle = await StatementsAsync() - before;

        output.WriteLine($"{blobs} cold blobs in {took.TotalSeconds:0.0} s: {busy} statements, {idle} in as much time without: {(busy - idle) / (double)blobs:0.0} each");
        Assert.InRange((busy - idle) / (double)blobs, 1, 8);
    }

    private async Task<(long Statements, int Objects, int Messages)> CostOfAsync(BusMeter bus, Func<Task> work)
    {
        var before = (Statements: await StatementsAsync(), Objects: Objects(), bus.Count);
        var end = TestClock.Now + Window;
        await work();
        if (end > TestClock.Now) await Task.Delay(end - TestClock.Now); // Both windows are as long: what the clock costs is in both.
        return (await StatementsAsync() - before.Statements, Objects() - before.Objects, bus.Count - before.Count);
    }

    private async Task<double> StoredAsync() => (await Task.WhenAll(ClusterFixture.Fetchers.Select(f => Fixture.Cluster.MetricsOfAsync(f)))).Sum(m => m.Value("entrepot_blobs_stored_total"));

    private int Objects() => Fixture.Cluster.CountObjectRequests("GET") + Fixture.Cluster.CountObjectRequests("HEAD");

    /// <summary>How many statements of the services the server has run: begin and commit count.</summary>
    private async Task<long> StatementsAsync()
    {
        await Fixture.Cluster.QueryAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        return long.Parse(await Fixture.Cluster.QueryAsync("SELECT sum(calls)::bigint FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'"), System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>All requests, over a few connections.</summary>
    private async Task GetAllAsync(params string[] paths)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 8 }) { BaseAddress = Api };
        client.DefaultRequestHeaders.Add("Accept", MediaTypes.AcceptAll);
        await Parallel.ForAsync(0, Requests, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, token) =>
        {
            using var answer = await client.GetAsync(paths[i % paths.Length], token);
            Assert.Equal("HIT", answer.Headers.GetValues("X-Cache").Single());
        });
    }
}
