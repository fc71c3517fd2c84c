using Entrepot.TestSupport.Product;
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
