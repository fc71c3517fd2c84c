using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>A fetcher is lost in the middle of a download: its clients see a pause, on the same connection, and nothing else.</summary>
[Collection(ClusterCollection.Name)]
public sealed class TakeoverTests(ClusterFixture fixture, ITestOutputHelper output)
{
    private const long MiB = 1L << 20;
    private const int Clients = 20;

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.5)]
    [InlineData(0.95)]
    public Task A_killed_fetcher_costs_its_clients_a_pause(double share) =>
        LoseOwnerAsync(share, owner => fixture.Cluster.KillAsync(owner), owner => fixture.Cluster.StartAsync(owner), TimeSpan.FromSeconds(5));

    [Fact]
    public async Task A_fetcher_that_stands_still_costs_its_clients_a_pause()
    {
        var before = fixture.Seq.Spans.Count;
        await LoseOwnerAsync(0.5, owner => fixture.Cluster.PauseAsync(owner), owner => fixture.Cluster.ResumeAsync(owner), TimeSpan.FromSeconds(15));

        // Both claims, the lost one too, are in the trace of the pull that asked first.
        await Eventually.Async(
            () => fixture.Seq.Spans.Skip(before).Where(s => s.Name == "fetch Blob").GroupBy(s => (s.TraceId, s.ParentId, s.Attributes["entrepot.fetch"])).Any(claims => claims.DistinctBy(c => c.Instance).Count() == 2),
            TimeSpan.FromSeconds(20), "the spans of both claims");
    }

    [Fact]
    public Task A_fetcher_that_is_told_to_stop_costs_its_clients_next_to_nothing() =>
        LoseOwnerAsync(0.5, owner => fixture.Cluster.StopAsync(owner), owner => fixture.Cluster.StartAsync(owner), TimeSpan.FromSeconds(2));

    [Fact]
    public async Task A_fetcher_that_is_killed_with_a_manifest_in_hand_costs_its_client_a_pause()
    {
        var (repository, _) = await fixture.NewImageAsync(1);
        var hang = fixture.Upstream.Inject(Fault.HangBeforeHeaders(), $"/{repository}/manifests/");
        var read = BlobReader.ReadManifestAsync(fixture.Cluster.Apis[0], repository, "1");
        await Eventually.Async(() => hang.Hits > 0, TimeSpan.FromSeconds(5), "the upstream to be asked");
        var owner = fixture.Cluster.NameOf(new Uri(await fixture.Cluster.QueryAsync("SELECT owner_address FROM fetches WHERE state = 'Running' AND kind = 'Tag'")));
        await fixture.Cluster.KillAsync(owner);
        hang.Heal();
        var manifest = await read;
        await fixture.Cluster.StartAsync(owner);
        output.WriteLine($"{owner} lost: answered after {manifest.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal((200, true), (manifest.Status, manifest.Completed));
    }

    [Fact]
    public async Task A_fetcher_cut_from_the_database_hands_its_download_over_and_works_again_when_the_cut_is_mended()
    {
        var (repository, layer) = await fixture.NewImageAsync(64);
        await BlobReader.ReadManifestAsync(fixture.Cluster.Apis[0], repository, "1");
        fixture.Upstream.BytesPerSecond = 600 * 1024;
        await fixture.WithOneFetcherAsync(async others =>
        {
            try
            {
                var reads = Enumerable.Range(0, 3).Select(i => BlobReader.ReadBlobAsync(fixture.Cluster.Apis[i], repository, layer.Digest)).ToArray();
                await Eventually.Async(() => fixture.Upstream.Log.BlobBytes(layer.Digest) >= 2 * MiB, TimeSpan.FromSeconds(20), "the download to be under way");
                fixture.Database.Cut();
                fixture.Upstream.BytesPerSecond = null;
                await others();
                var results = await Task.WhenAll(reads);

                output.WriteLine($"longest pause {results.Max(r => r.LongestPause).TotalSeconds:0.0} s, {fixture.Upstream.Log.BlobBytes(layer.Digest) / (double)layer.Size:0.00}x from upstream");
                Assert.All(results, r => Assert.Equal((200, true, layer.Digest), (r.Status, r.Completed, r.Digest)));
                Assert.InRange(results.Max(r => r.LongestPause), TimeSpan.Zero, TimeSpan.FromSeconds(15));
                Assert.InRange(fixture.Upstream.Log.BlobBytes(layer.Digest), layer.Size, (long)(layer.Size * 2.05));
                await fixture.UntilStoredAsync(layer.Digest);
                Assert.NotEqual(ClusterFixture.Relayed, await fixture.NameOfOwnerAsync(layer.Digest));
            }
            finally
            {
                fixture.Upstream.BytesPerSecond = null;
                fixture.Database.Mend();
            }
        });
        await fixture.WithOneFetcherAsync(_ => MissAsync());
    }

    [Fact]
    public Task A_fetcher_cut_from_the_broker_finds_its_work_and_its_readers_all_the_same() => fixture.WithOneFetcherAsync(async _ =>
    {
        fixture.Broker.Cut();
        try
        {
            var (repository, layer) = await fixture.NewImageAsync(3);
            var cold = await BlobReader.ReadBlobAsync(fixture.Cluster.Apis[0], repository, layer.Digest);
            output.WriteLine($"first byte after {cold.TimeToFirstByte.TotalSeconds:0.00} s");
            Assert.Equal((200, true, layer.Digest), (cold.Status, cold.Completed, cold.Digest));
            Assert.InRange(cold.TimeToFirstByte.TotalSeconds, 0, 3);
            fixture.Upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
        }
        finally
        {
            fixture.Broker.Mend();
        }
        await MissAsync();
    });

    private async Task MissAsync()
    {
        var (repository, layer) = await fixture.NewImageAsync(1);
        await Eventually.Async(
            async () => await BlobReader.ReadBlobAsync(fixture.Cluster.Apis[0], repository, layer.Digest) is { Completed: true, Status: 200 }, TimeSpan.FromSeconds(30), "the fetcher that was cut off to work");
    }

    private async Task LoseOwnerAsync(double share, Func<string, Task> lose, Func<string, Task> mend, TimeSpan longestPause)
    {
        var (repository, layer) = await fixture.NewImageAsync(512);
        fixture.Upstream.BytesPerSecond = 30 * MiB;
        try
        {
            var loss = await OwnerLoss.PlayAsync(fixture.Cluster, fixture.Upstream, repository, layer, share, Clients, lose, mend);
            output.WriteLine(loss.ToString());
            Assert.Empty(loss.Errors);
            Assert.Equal(0, loss.WrongDigests);
            Assert.InRange(loss.LongestPause, TimeSpan.Zero, longestPause);
            Assert.InRange(loss.UpstreamBytes, 1, 2.05);
        }
        finally
        {
            fixture.Upstream.BytesPerSecond = null;
        }
    }
}
