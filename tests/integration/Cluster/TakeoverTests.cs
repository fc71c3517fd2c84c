using Entrepot.TestSupport.Clients;
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
    public Task A_fetcher_that_stands_still_costs_its_clients_a_pause() =>
        LoseOwnerAsync(0.5, owner => fixture.Cluster.PauseAsync(owner), owner => fixture.Cluster.ResumeAsync(owner), TimeSpan.FromSeconds(15));

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
        var owner = await OwnerAsync("Tag");
        await fixture.Cluster.KillAsync(owner);
        hang.Heal();
        var manifest = await read;
        await fixture.Cluster.StartAsync(owner);
        output.WriteLine($"{owner} lost: answered after {manifest.Elapsed.TotalSeconds:0.0} s");
        Assert.Equal((200, true), (manifest.Status, manifest.Completed));
    }

    private async Task LoseOwnerAsync(double share, Func<string, Task> lose, Func<string, Task> mend, TimeSpan longestPause)
    {
        var (repository, layer) = await fixture.NewImageAsync(512);
        await BlobReader.ReadManifestAsync(fixture.Cluster.Apis[0], repository, "1");
        fixture.Upstream.BytesPerSecond = 30 * MiB;
        try
        {
            var reads = Enumerable.Range(0, Clients).Select(i => BlobReader.ReadBlobAsync(fixture.Cluster.Apis[i % 3], repository, layer.Digest)).ToArray();
            await Eventually.Async(() => fixture.Upstream.Log.BlobBytes(layer.Digest) >= layer.Size * share, TimeSpan.FromSeconds(60), $"{share:P0} of the layer");
            var owner = await OwnerAsync("Blob");
            var lostAt = TestClock.Now;
            await lose(owner);
            var results = await Task.WhenAll(reads);
            await mend(owner);

            output.WriteLine($"{owner} lost at {share:P0}: longest pause {results.Max(r => r.LongestPause).TotalSeconds:0.0} s, "
                + $"{fixture.Upstream.Log.BlobBytes(layer.Digest) / (double)layer.Size:0.00}x from upstream, all done {(results.Max(r => r.FinishedAt) - lostAt).TotalSeconds:0.0} s after");
            Assert.All(results, r => Assert.Equal((200, true, layer.Digest), (r.Status, r.Completed, r.Digest)));
            Assert.InRange(results.Max(r => r.LongestPause), TimeSpan.Zero, longestPause);
            Assert.InRange(fixture.Upstream.Log.BlobBytes(layer.Digest), layer.Size, (long)(layer.Size * 2.05));
        }
        finally
        {
            fixture.Upstream.BytesPerSecond = null;
        }
    }

    /// <summary>The fetcher that works on the one fetch of this kind now: as its row says.</summary>
    private async Task<string> OwnerAsync(string kind)
    {
        var address = await fixture.Cluster.QueryAsync($"SELECT owner_address FROM fetches WHERE state = 'Running' AND kind = '{kind}'");
        return new[] { "fetcher-1", "fetcher-2", "fetcher-3" }.Single(name => fixture.Cluster.UrlOf(name).Port == new Uri(address).Port);
    }
}
