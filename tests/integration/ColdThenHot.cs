using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>
/// Docker Hub for real clients: a running Entrepot before the fixture's registry, with a TTL of one second for tags. First everything is
/// cold; then the upstream is gone and every tag is due, so that whatever works comes from the store.
/// </summary>
internal sealed class ColdThenHot : IAsyncDisposable
{
    private ColdThenHot(UpstreamFront upstream, EntrepotProcess entrepot) => (Upstream, Entrepot) = (upstream, entrepot);

    public UpstreamFront Upstream { get; }

    public EntrepotProcess Entrepot { get; }

    public Uri Url => Entrepot.Url;

    public static async Task<ColdThenHot> StartAsync(RegistryFixture fixture)
    {
        var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        try
        {
            var settings = new EntrepotSettings().Add("docker.io", upstream.Url, ("TagTtl", "1s")).Set("DefaultUpstream", "docker.io");
            return new ColdThenHot(upstream, await EntrepotProcess.StartNewAsync(settings));
        }
        catch
        {
            await upstream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the same thing cold and hot, and expects the same result.</summary>
    public static async Task<T> RunAsync<T>(RegistryFixture fixture, Func<Uri, Task<T>> use)
    {
        await using var run = await StartAsync(fixture);
        var cold = await use(run.Url);
        await run.GoHotAsync();
        Assert.Equal(cold, await use(run.Url));
        await run.AssertHotAsync();
        return cold;
    }

    /// <summary>Checks that everything came once, waits until it is stored, takes the upstream away and waits until all tags are due.</summary>
    public async Task GoHotAsync()
    {
        // No blob was asked for a second time, and no manifest by GET.
        var gets = Upstream.Requests(r => r.Method == "GET" && r.Status is 200 or 206);
        Assert.NotEmpty(gets);
        Assert.Equal(gets.Select(r => r.Path + r.Range).Distinct().Count(), gets.Count);
        var blobs = gets.Where(r => r.Path.Contains("/blobs/", StringComparison.Ordinal)).Select(r => r.Path[^64..]).Distinct().Count();
        await Eventually.Async(async () => (await Entrepot.MetricsAsync()).Value("entrepot_blobs_stored_total") >= blobs, TimeSpan.FromSeconds(20), $"{blobs} blobs to be stored");

        await Upstream.StopAsync();
        Upstream.Log.Clear();
        var seen = gets.First(r => r.Path.Contains("/manifests/", StringComparison.Ordinal));
        var repository = seen.Path["/v2/".Length..seen.Path.IndexOf("/manifests/", StringComparison.Ordinal)];
        await Eventually.Async(
            async () => (await BlobReader.ReadManifestAsync(Url, repository, "1")).XCache == "STALE", TimeSpan.FromSeconds(10), "the tags' TTL to be over");
    }

    /// <summary>Checks that nothing came from the upstream since it went, and that tags were stale and other content hits.</summary>
    public async Task AssertHotAsync()
    {
        Assert.Empty(Upstream.Log.All);
        Assert.Contains("answered 200 STALE", Entrepot.LogText, StringComparison.Ordinal);
        var metrics = await Entrepot.MetricsAsync();
        Assert.True(metrics.Value("entrepot_pulls_total", ("cache", "HIT")) > 0, metrics.Text);
    }

    public async ValueTask DisposeAsync()
    {
        await Entrepot.DisposeAsync();
        await Upstream.DisposeAsync();
    }
}
