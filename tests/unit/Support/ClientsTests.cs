using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.UnitTests.Support;

/// <summary>Each client against a plain registry: what these facts show is that a later failure is not the client's.</summary>
public sealed class ClientsTests
{
    [ClientFact(DebianRegistry.Command, Skopeo.Command)]
    public async Task Skopeo_pulls_every_kind_of_image()
    {
        await using var registry = await DebianRegistry.StartNewAsync();
        foreach (var image in new[] { ImageMaker.Small(), ImageMaker.Small(docker: true), ImageMaker.Small(compression: Compression.Zstd), ImageMaker.Small(compression: Compression.None), ImageMaker.Index(), ImageMaker.Index(docker: true) })
        {
            await registry.PushAsync(image, "library/kinds");
            Assert.Equal(image.Digest, (await Skopeo.PullAsync(registry.Url, "library/kinds:1")).Digest);
        }

        Assert.Equal(ImageMaker.Small().Digest, (await Skopeo.PullAsync(registry.Url, $"library/kinds@{ImageMaker.Small().Digest}", toOciLayout: true)).Digest);
        var error = await Assert.ThrowsAsync<ClientFailedException>(() => Skopeo.PullAsync(registry.Url, "library/kinds:none"));
        Assert.Contains("manifest unknown", error.Message, StringComparison.Ordinal);
    }

    [ClientFact(DebianRegistry.Command, Podman.Command, NeedsRoot = true)]
    public async Task Podman_pulls_through_a_mirror_and_directly()
    {
        await using var upstream = await UpstreamAsync();
        Assert.Equal(upstream.Image.Digest, (await Podman.PullAsync(upstream.Front.Url, "library/small:1")).Digest);
        Assert.Equal(upstream.Image.Digest, (await Podman.PullDirectAsync(upstream.Front.Url, "library/small:1")).Digest);
        await Assert.ThrowsAsync<ClientFailedException>(() => Podman.PullAsync(upstream.Front.Url, "library/small:none"));
    }

    [ClientFact(DebianRegistry.Command, Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task Containerd_pulls_through_a_mirror_with_the_ns_parameter_and_from_nothing_each_time()
    {
        await using var upstream = await UpstreamAsync();
        for (var round = 0; round < 2; round++)
        {
            upstream.Front.Log.Clear();
            Assert.Equal(upstream.Image.Digest, (await Containerd.PullAsync(upstream.Front.Url, "library/small:1")).Digest);
            Assert.All(upstream.Front.Log.All, record => Assert.Equal("?ns=docker.io", record.Query));
            foreach (var blob in upstream.Image.Blobs) upstream.Front.Log.AssertNoByteTwice(blob.Digest, blob.Size);
        }

        await Assert.ThrowsAsync<ClientFailedException>(() => Containerd.PullAsync(upstream.Front.Url, "library/small:none"));
    }

    [ClientFact(DebianRegistry.Command, Docker.Command, Docker.Client, NeedsRoot = true)]
    public async Task Docker_pulls_through_a_mirror_that_is_changed_under_way_and_from_nothing_each_time()
    {
        await using var upstream = await UpstreamAsync();
        await using var other = await UpstreamFront.StartNewAsync(upstream.Registry.Url);
        foreach (var mirror in new[] { upstream.Front, other, other })
        {
            mirror.Log.Clear();
            Assert.Equal(upstream.Image.Digest, (await Docker.PullAsync(mirror.Url, "library/small:1")).Digest);
            foreach (var blob in upstream.Image.Blobs) mirror.Log.AssertNoByteTwice(blob.Digest, blob.Size);
        }

        Assert.Equal(upstream.Image.Digest, (await Docker.PullDirectAsync(upstream.Front.Url, "library/small:1")).Digest);
        await other.StopAsync();
        var error = await Assert.ThrowsAsync<ClientFailedException>(() => Docker.PullAsync(other.Url, "library/small:1"));
        Assert.Contains($"127.0.0.1:{other.Port}: connect: connection refused", error.Message, StringComparison.Ordinal);
    }

    private static async Task<Parts> UpstreamAsync()
    {
        var registry = await DebianRegistry.StartNewAsync();
        var image = ImageMaker.Small();
        await registry.PushAsync(image, "library/small");
        return new Parts(registry, await UpstreamFront.StartNewAsync(registry.Url), image);
    }

    private sealed record Parts(DebianRegistry Registry, UpstreamFront Front, Image Image) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await Front.DisposeAsync();
            await Registry.DisposeAsync();
        }
    }
}
