using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>A cached image survives its upstream, and nobody waits in silence.</summary>
public sealed class OutageTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Theory]
    [InlineData(429)]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(401)]
    [InlineData(403)]
    public async Task A_held_image_is_served_whatever_the_upstream_says_instead(int status)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(Due(upstream));
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1");
        upstream.Inject(Fault.Status(status));
        await Eventually.Async(async () =>
        {
            var read = await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1");
            Assert.Equal((200, fixture.Small.Digest), (read.Status, read.Digest));
            return read.XCache == "STALE";
        }, TimeSpan.FromSeconds(20), "the tag to be due");
    }

    [Fact]
    public async Task Started_with_the_upstream_unreachable_it_serves_what_it_holds_and_503_for_the_rest()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(Due(upstream));
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1");
        foreach (var blob in fixture.Small.Blobs)
            await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(entrepot.Url, "library/small", blob.Digest)).XCache == "HIT", TimeSpan.FromSeconds(10), "the image to be held");
        await upstream.StopAsync();
        await entrepot.RestartAsync();

        Assert.Equal(fixture.Small.Digest, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1")).Digest);
        foreach (var blob in fixture.Small.Blobs) Assert.Equal(blob.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/small", blob.Digest)).Digest);
        foreach (var path in new[] { "library/forty/manifests/1", $"library/forty/manifests/{fixture.Forty.Digest}", $"library/forty/blobs/{fixture.Forty.Layers[0].Digest}" })
        {
            var read = await BlobReader.ReadAsync(new Uri(entrepot.Url, "/v2/" + path));
            Assert.Equal(503, read.Status);
            Assert.InRange(read.Elapsed.TotalSeconds, 0, 10);
            Assert.True(read.Headers.ContainsKey("Retry-After"));
            Assert.Contains("UNAVAILABLE", read.ErrorText, StringComparison.Ordinal);
        }
        using var ready = await entrepot.GetAsync("/readyz");
        Assert.Equal(System.Net.HttpStatusCode.OK, ready.StatusCode);
    }

    [Fact]
    public async Task A_failure_is_remembered_for_its_retry_window_and_asked_again_after_it()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(Due(upstream));
        for (var i = 0; i < 5; i++) Assert.Equal(404, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/none", "1")).Status);
        Assert.Single(upstream.Log.All);
        await Eventually.Async(async () =>
        {
            await BlobReader.ReadManifestAsync(entrepot.Url, "library/none", "1");
            return upstream.Log.All.Count == 2;
        }, TimeSpan.FromSeconds(15), "the upstream to be asked again after 10 s");
    }

    [Fact]
    public async Task A_running_pull_resumes_when_its_upstream_comes_back()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 8 << 20;
        await using var entrepot = await EntrepotProcess.StartNewAsync(Due(upstream));
        var layer = fixture.Medium.Layers[0];
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > 8 << 20, TimeSpan.FromSeconds(20), "the pull to be under way");
        await upstream.StopAsync();
        upstream.BytesPerSecond = null;
        await Eventually.Async(() => entrepot.LogText.Contains("Resuming", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the break to be noticed");
        await upstream.StartAsync();
        Assert.Equal((true, layer.Digest), ((await pull).Completed, (await pull).Digest));
        Assert.InRange(upstream.Log.BlobBytes(layer.Digest), layer.Size, layer.Size * 101 / 100);
    }

    internal static EntrepotSettings Due(UpstreamFront upstream) =>
        new EntrepotSettings().Add("docker.io", upstream.Url, ("TagTtl", "1s")).Set("DefaultUpstream", "docker.io");
}
