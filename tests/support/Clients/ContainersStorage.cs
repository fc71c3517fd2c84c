using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>An empty storage (vfs) and a registries.conf for one use of podman or buildah, which share both formats.</summary>
internal sealed class ContainersStorage : IDisposable
{
    private readonly TempFolder _folder;

    private ContainersStorage(string registriesConf)
    {
        _folder = new TempFolder("storage");
        File.WriteAllText(_folder.File("registries.conf"), registriesConf);
        File.WriteAllText(_folder.File("auth.json"), "{}");
        Environment = new Dictionary<string, string?>
        {
            ["CONTAINERS_REGISTRIES_CONF"] = _folder.File("registries.conf"),
            ["REGISTRY_AUTH_FILE"] = _folder.File("auth.json"),
            ["XDG_RUNTIME_DIR"] = null,
            ["TMPDIR"] = _folder.FullPath,
            ["BUILDAH_ISOLATION"] = "chroot",
            // Where registries.conf names the real registry besides the mirror, nobody answers in its stead.
            ["HTTPS_PROXY"] = "http://127.0.0.1:9",
            ["NO_PROXY"] = "127.0.0.1,localhost",
        };
    }

    public IReadOnlyDictionary<string, string?> Environment { get; }

    public string[] BuildahArguments => ["--root", _folder.File("root"), "--runroot", _folder.File("run"), "--storage-driver", "vfs"];

    public string[] PodmanArguments => [.. BuildahArguments, "--tmpdir", _folder.File("tmp"), "--cgroup-manager", "cgroupfs", "--events-backend", "none"];

    /// <summary>With this very registries.conf.</summary>
    public static ContainersStorage Of(string registriesConf) => new(registriesConf);

    /// <summary>With the URL as docker.io's mirror and, so that nothing else is ever asked, as docker.io itself.</summary>
    public static ContainersStorage Through(Uri mirrorUrl)
    {
        ArgumentNullException.ThrowIfNull(mirrorUrl);
        var location = mirrorUrl.Authority + mirrorUrl.AbsolutePath.TrimEnd('/');
        return new ContainersStorage($"""
            unqualified-search-registries = []
            [[registry]]
            prefix = "docker.io"
            location = "{location}"
            insecure = true
            [[registry.mirror]]
            location = "{location}"
            insecure = true
            [[registry]]
            location = "{mirrorUrl.Authority}"
            insecure = true
            """);
    }

    public Task<CommandResult> PodmanAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync(Podman.Command, [.. PodmanArguments, .. arguments], Environment, cancellationToken: cancellationToken);

    public Task<CommandResult> BuildahAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        ChildProcess.RunAsync(Buildah.Command, [.. BuildahArguments, .. arguments], Environment, cancellationToken: cancellationToken);

    public void Dispose() => _folder.Dispose();
}
