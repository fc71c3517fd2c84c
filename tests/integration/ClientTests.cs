using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Real clients, cold from the upstream and then hot with the upstream gone and the tag's TTL over.</summary>
[Collection(MachineCollection.Name)]
public sealed class ClientTests(RegistryFixture fixture) : IAsyncLifetime
{
    // A small image of OCI's types and of Docker's, 40 layers, an OCI index and a Docker manifest list.
    private static readonly string[] Images = ["library/small:1", "library/docker:1", "library/forty:1", "library/index:1", "library/list:1"];

    private static readonly string[] ImagesAndZstd = [.. Images, "library/zstd:1"];

    private readonly Image _list = ImageMaker.Index(docker: true);

    private readonly Image _zstd = ImageMaker.Small("zstd", compression: Compression.Zstd);

    public async Task InitializeAsync()
    {
        await fixture.Registry.PushAsync(_list, "library/list");
        await fixture.Registry.PushAsync(_zstd, "library/zstd");
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [ClientFact(Skopeo.Command)]
    public Task Skopeo_pulls_cold_and_then_hot_without_the_upstream() => PullAsync((mirror, image) => Skopeo.PullAsync(mirror, image), ImagesAndZstd);

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public Task Podman_pulls_through_a_mirror_cold_and_then_hot_without_the_upstream() => PullAsync((mirror, image) => Podman.PullAsync(mirror, image), ImagesAndZstd);

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public Task Podman_pulls_by_name_cold_and_then_hot_without_the_upstream() => PullAsync((mirror, image) => Podman.PullDirectAsync(mirror, image), ImagesAndZstd);

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public Task Containerd_pulls_with_a_hosts_toml_mirror_cold_and_then_hot_without_the_upstream() => PullAsync((mirror, image) => Containerd.PullAsync(mirror, image), ImagesAndZstd);

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public Task Docker_pulls_through_registry_mirrors_cold_and_then_hot_without_the_upstream() => PullAsync((mirror, image) => Docker.PullAsync(mirror, image), Images);

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public async Task Docker_pulls_any_registry_by_name()
    {
        await using var hub = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var quay = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(hub.Url).Add("quay.io", quay.Url));
        Assert.Equal(fixture.Index.Digest, (await Docker.PullDirectAsync(entrepot.Url, "quay.io/library/index:1")).Digest);
        Assert.NotEmpty(quay.Log.Matching("/v2/library/index/manifests/1"));
        Assert.Empty(hub.Log.All);
    }

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public async Task Docker_gets_a_zstd_layer_whole_which_it_can_unpack_from_version_23_on()
    {
        if (await Docker.VersionAsync() >= new Version(23, 0))
        {
            await PullAsync((mirror, image) => Docker.PullAsync(mirror, image), ["library/zstd:1"]);
            return;
        }

        await using var run = await ColdThenHot.StartAsync(fixture);
        var failure = await Assert.ThrowsAsync<ClientFailedException>(() => Docker.PullAsync(run.Url, "library/zstd:1"));
        Assert.Contains("invalid tar header", failure.Message, StringComparison.Ordinal);
        run.Upstream.Log.AssertNoByteTwice(_zstd.Layers[0].Digest, _zstd.Layers[0].Size);
        Assert.Contains($"blobs/{_zstd.Layers[0].Digest} answered 200", run.Entrepot.LogText, StringComparison.Ordinal);
    }

    [ClientFact(Docker.Command, Docker.Client, DockerCompose.Command, NeedsRoot = true)]
    public async Task Docker_compose_pulls_three_services_cold_and_then_hot_without_the_upstream()
    {
        string[] images = ["library/small:1", "library/docker:1", "library/index:1"];
        var digests = await ColdThenHot.RunAsync(fixture, async mirror => string.Join(' ', await DockerCompose.PullAsync(mirror, images)));
        Assert.Equal($"{fixture.Small.Digest} {fixture.DockerSmall.Digest} {fixture.Index.Digest}", digests);
    }

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task Three_containerd_clients_that_pull_one_cold_image_at_once_cost_the_upstream_one_pull()
    {
        await using var run = await ColdThenHot.StartAsync(fixture);
        var pulls = await Containerd.PullAtOnceAsync(run.Url, "library/forty:1", clients: 3);
        Assert.Equal([fixture.Forty.Digest, fixture.Forty.Digest, fixture.Forty.Digest], pulls.Select(pull => pull.Digest));
        Assert.All(fixture.Forty.Blobs, blob => Assert.Single(run.Upstream.Log.Matching(blob.Digest, "GET")));
        Assert.Single(run.Upstream.Log.Matching(fixture.Forty.Digest, "GET"));
    }

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task Containerd_tells_the_registry_by_ns()
    {
        await using var hub = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var quay = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(hub.Url).Add("quay.io", quay.Url));
        var hosts = $"[host.\"{entrepot.Url.GetLeftPart(UriPartial.Authority)}\"]\n  capabilities = [\"pull\", \"resolve\"]\n";
        Assert.Equal(fixture.Small.Digest, (await Containerd.PullWithAsync("quay.io", hosts, "library/small:1")).Digest);
        Assert.NotEmpty(quay.Log.Matching("/v2/library/small/manifests/1"));
        Assert.Empty(hub.Log.All);

        // One file for all registries; and a registry that is not configured is not proxied.
        Assert.Equal(fixture.Small.Digest, (await Containerd.PullWithAsync("docker.io", hosts, "library/small:1", folder: "_default")).Digest);
        Assert.NotEmpty(hub.Log.Matching("/v2/library/small/manifests/1"));
        await Assert.ThrowsAsync<ClientFailedException>(() => Containerd.PullWithAsync("registry.invalid", hosts, "library/small:1", folder: "_default"));
    }

    [ClientFact(Skopeo.Command)]
    public async Task A_host_name_of_the_cache_means_the_registry_it_is_configured_for()
    {
        await using var hub = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var quay = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(hub.Url).Add("quay.io", quay.Url, ("Hosts", new[] { "localhost" })));
        Assert.Equal(fixture.Small.Digest, (await Skopeo.PullAsync(new Uri($"http://localhost:{entrepot.Port}"), "library/small:1")).Digest);
        Assert.NotEmpty(quay.Log.Matching("/v2/library/small/manifests/1"));
        Assert.Empty(hub.Log.All);
    }

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task A_mirror_with_the_registry_in_its_path_and_ns_besides_is_one_registry()
    {
        // On the wire this is what BuildKit sends for mirrors = ["CACHE/quay.io"], and k3s for a rewrite to "quay.io/$1".
        await using var hub = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var quay = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(hub.Url).Add("quay.io", quay.Url));
        var hosts = $"server = \"{entrepot.Url.GetLeftPart(UriPartial.Authority)}\"\n[host.\"{entrepot.Url}v2/quay.io\"]\n  capabilities = [\"pull\", \"resolve\"]\n  override_path = true\n";
        Assert.Equal(fixture.Index.Digest, (await Containerd.PullWithAsync("quay.io", hosts, "library/index:1")).Digest);
        Assert.Contains("/v2/quay.io/library/index/manifests/1 answered 200", entrepot.LogText, StringComparison.Ordinal);
        Assert.NotEmpty(quay.Log.Matching("/v2/library/index/manifests/1"));
        Assert.Empty(hub.Log.All);
    }

    private async Task PullAsync(Func<Uri, string, Task<PullResult>> pull, string[] images)
    {
        var expected = new Dictionary<string, string>
        {
            ["library/small:1"] = fixture.Small.Digest,
            ["library/docker:1"] = fixture.DockerSmall.Digest,
            ["library/forty:1"] = fixture.Forty.Digest,
            ["library/index:1"] = fixture.Index.Digest,
            ["library/list:1"] = _list.Digest,
            ["library/zstd:1"] = _zstd.Digest,
        };
        await ColdThenHot.RunAsync(fixture, async mirror =>
        {
            foreach (var image in images) Assert.Equal(expected[image], (await pull(mirror, image)).Digest);
            return images.Length;
        });
    }
}
