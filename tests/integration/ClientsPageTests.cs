using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>
/// The blocks of docs/clients.md as they stand there, given to real clients. The registries they name besides the cache cannot be
/// reached: a client that turns to one says so in its error, one that must not never names it.
/// </summary>
[Collection(MachineCollection.Name)]
public sealed class ClientsPageTests(RegistryFixture fixture) : IAsyncLifetime
{
    private const string Image = "library/small:1";
    private UpstreamFront _hub = null!;
    private UpstreamFront _quay = null!;
    private EntrepotProcess _entrepot = null!;
    private ClientsPage _page = null!;

    public async Task InitializeAsync()
    {
        _hub = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        _quay = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        _entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings().Add("docker.io", _hub.Url).Add("quay.io", _quay.Url));
        _page = new ClientsPage(_entrepot.Url);
    }

    public async Task DisposeAsync()
    {
        await _entrepot.DisposeAsync();
        await _hub.DisposeAsync();
        await _quay.DisposeAsync();
    }

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public async Task Docker_with_daemon_json()
    {
        var configuration = _page.BlockAfter("`/etc/docker/daemon.json`");
        Assert.Equal(fixture.Small.Digest, (await Docker.PullWithAsync(configuration, Image)).Digest);
        AssertAsked(_hub);

        _entrepot.Kill9();
        var down = await Assert.ThrowsAsync<ClientFailedException>(() => Docker.PullWithAsync(configuration, Image));
        Assert.Contains("registry-1.docker.io", down.Message, StringComparison.Ordinal);
        Assert.Contains("Attempting next endpoint", down.Message, StringComparison.Ordinal);
    }

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task Containerd_with_hosts_toml_of_one_registry_and_of_all()
    {
        var one = _page.BlockAfter("`/etc/containerd/certs.d/docker.io/hosts.toml`");
        Assert.Equal(fixture.Small.Digest, (await Containerd.PullWithAsync("docker.io", one, Image)).Digest);
        AssertAsked(_hub);
        Assert.Empty(_quay.Log.All);

        var all = _page.BlockAfter("`/etc/containerd/certs.d/_default/hosts.toml`");
        Assert.Equal(fixture.Small.Digest, (await Containerd.PullWithAsync("quay.io", all, Image, folder: "_default")).Digest);
        AssertAsked(_quay);

        _entrepot.Kill9();
        var down = await Assert.ThrowsAsync<ClientFailedException>(() => Containerd.PullWithAsync("docker.io", one, Image));
        Assert.Contains("registry-1.docker.io", down.Message, StringComparison.Ordinal);
    }

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task Containerd_with_nothing_but_the_cache()
    {
        var hosts = _page.BlockAfter("**Nothing but the cache**, `docker.io/hosts.toml`");
        Assert.Equal(fixture.Small.Digest, (await Containerd.PullWithAsync("docker.io", hosts, Image)).Digest);
        _entrepot.Kill9();
        var down = await Assert.ThrowsAsync<ClientFailedException>(() => Containerd.PullWithAsync("docker.io", hosts, Image));
        Assert.Contains(_entrepot.Url.Authority, down.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("registry-1.docker.io", down.Message, StringComparison.Ordinal);
    }

    [ClientFact(Containerd.Command, Containerd.Client, NeedsRoot = true)]
    public async Task Containerd_with_tags_from_the_registry()
    {
        var hosts = _page.BlockAfter("**Tags from the registry, content from the cache**");
        var byTag = await Assert.ThrowsAsync<ClientFailedException>(() => Containerd.PullWithAsync("docker.io", hosts, Image));
        Assert.Contains("registry-1.docker.io", byTag.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Log.All);
        Assert.Equal(fixture.Small.Digest, (await Containerd.PullWithAsync("docker.io", hosts, $"library/small@{fixture.Small.Digest}")).Digest);
        AssertAsked(_hub);
    }

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public async Task Podman_with_registries_conf()
    {
        var conf = _page.BlockAfter("`/etc/containers/registries.conf.d/entrepot.conf`");
        Assert.Equal(fixture.Small.Digest, (await Podman.PullWithAsync(conf, $"docker.io/{Image}")).Digest);
        AssertAsked(_hub);
        Assert.Empty(_quay.Log.All);
        Assert.Equal(fixture.Small.Digest, (await Podman.PullWithAsync(conf, $"quay.io/{Image}")).Digest);
        AssertAsked(_quay);

        var alone = _page.BlockAfter("**Nothing but the cache**: `location");
        Assert.Equal(fixture.Small.Digest, (await Podman.PullWithAsync(alone, $"docker.io/{Image}")).Digest);

        _entrepot.Kill9();
        var down = await Assert.ThrowsAsync<ClientFailedException>(() => Podman.PullWithAsync(conf, $"docker.io/{Image}"));
        Assert.Contains("registry-1.docker.io", down.Message, StringComparison.Ordinal);
        down = await Assert.ThrowsAsync<ClientFailedException>(() => Podman.PullWithAsync(alone, $"docker.io/{Image}"));
        Assert.Contains(_entrepot.Url.Authority, down.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("registry-1.docker.io", down.Message, StringComparison.Ordinal);
    }

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public async Task Podman_only_by_digest()
    {
        var conf = _page.BlockAfter("**Only by digest**");
        var byTag = await Assert.ThrowsAsync<ClientFailedException>(() => Podman.PullWithAsync(conf, $"docker.io/{Image}"));
        Assert.Contains("registry-1.docker.io", byTag.Message, StringComparison.Ordinal);
        Assert.Empty(_hub.Log.All);
        Assert.Equal(fixture.Small.Digest, (await Podman.PullWithAsync(conf, $"docker.io/library/small@{fixture.Small.Digest}")).Digest);
        AssertAsked(_hub);
    }

    [ClientFact(Skopeo.Command, "curl")]
    public async Task Skopeo_by_prefix_and_the_check_with_curl()
    {
        using var folder = new TempFolder("page");
        await ShellAsync(folder, _page.BlockAfter("skopeo without any file"));
        Assert.Equal(fixture.Small.ManifestBytes.ToArray(), await File.ReadAllBytesAsync(Path.Combine(folder.File("small"), "manifest.json")));
        AssertAsked(_quay);

        var check = _page.BlockAfter("Pull something twice");
        await ShellAsync(folder, check);
        Assert.Equal("X-Cache: HIT", (await ShellAsync(folder, check)).Trim());
    }

    private static void AssertAsked(UpstreamFront upstream) => Assert.NotEmpty(upstream.Log.Matching("/v2/library/small/"));

    private static async Task<string> ShellAsync(TempFolder folder, string script) =>
        ClientFailedException.ThrowIfFailed(await ChildProcess.RunAsync("sh", ["-ec", $"cd '{folder.FullPath}'\n{script}"])).StandardOutput;
}
