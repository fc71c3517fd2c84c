using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// Pulls with containerd (<c>ctr images pull --hosts-dir</c>) through a hosts.toml, which makes it send <c>?ns=REGISTRY</c> with every
/// request: HEAD of the tag, GET of the manifest by digest, GET of blobs. Needs root. One call at a time: they share one daemon.
/// </summary>
public static class Containerd
{
    /// <summary>The daemon's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "containerd";

    /// <summary>The client's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Client = "ctr";

    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    // Where hosts.toml names the real registry besides the mirror, nobody answers in its stead.
    private static readonly Dictionary<string, string?> NoInternet = new() { ["HTTPS_PROXY"] = "http://127.0.0.1:9", ["NO_PROXY"] = "127.0.0.1,localhost" };
    private static readonly Daemon Shared = new(Command, Arguments, async folder => (await CtrAsync(folder, ["version"])).ExitCode == 0, NoInternet);

    /// <summary>Pulls <c>docker.io/IMAGE</c> and forgets it again, so that the next pull begins from nothing.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="allPlatforms">Every platform of an index; otherwise this machine's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">ctr failed.</exception>
    public static async Task<PullResult> PullAsync(Uri mirrorUrl, string image, bool allPlatforms = false, CancellationToken cancellationToken = default) =>
        (await RunAsync("docker.io", HostsOf(mirrorUrl), image, clients: 1, allPlatforms, cancellationToken)).Single();

    /// <summary>Pulls with this very hosts.toml, and forgets the image again. Registries that are not on loopback do not answer.</summary>
    /// <param name="registry">The registry in the image's name, for example <c>quay.io</c>.</param>
    /// <param name="hostsToml">What stands in hosts.toml.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="folder">The folder in which hosts.toml stands, for example <c>_default</c>; null is the registry's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">ctr failed.</exception>
    public static async Task<PullResult> PullWithAsync(string registry, string hostsToml, string image, string? folder = null, CancellationToken cancellationToken = default) =>
        (await RunAsync(registry, hostsToml, image, clients: 1, allPlatforms: false, cancellationToken, folder)).Single();

    /// <summary>Several clients pull <c>docker.io/IMAGE</c> at once, each in a containerd namespace of its own, which share no content that is on its way.</summary>
    /// <inheritdoc cref="PullAsync"/>
    public static Task<PullResult[]> PullAtOnceAsync(Uri mirrorUrl, string image, int clients, CancellationToken cancellationToken = default) =>
        RunAsync("docker.io", HostsOf(mirrorUrl), image, clients, allPlatforms: false, cancellationToken);

    private static async Task<PullResult[]> RunAsync(string registry, string hostsToml, string image, int clients, bool allPlatforms, CancellationToken cancellationToken, string? hostsFolder = null)
    {
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            await Shared.StartAsync(cancellationToken);
            using var hosts = new TempFolder("hosts");
            hostsFolder = hosts.File(hostsFolder ?? registry);
            Directory.CreateDirectory(hostsFolder);
            await File.WriteAllTextAsync(Path.Combine(hostsFolder, "hosts.toml"), hostsToml, cancellationToken);
            string[] options = [.. allPlatforms ? (string[])["--all-platforms"] : [], "--hosts-dir", hosts.FullPath, "--snapshotter", "native"];
            return await Task.WhenAll(Enumerable.Range(0, clients).Select(i => PullAsync($"client{i}", options, $"{registry}/{image}", cancellationToken)));
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static async Task<PullResult> PullAsync(string space, string[] options, string reference, CancellationToken cancellationToken)
    {
        Task<CommandResult> Ctr(params string[] arguments) => CtrAsync(Shared.Folder, ["--namespace", space, .. arguments], cancellationToken);
        var start = TestClock.Now;
        var pull = await Ctr(["images", "pull", .. options, reference]);
        var elapsed = TestClock.Now - start;
        var list = await Ctr("images", "list", $"name=={reference}");
        await Ctr("images", "remove", "--sync", reference);
        await Ctr("content", "prune", "references");
        ClientFailedException.ThrowIfFailed(pull);
        var digest = ClientFailedException.ThrowIfFailed(list).StandardOutput.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries)
            .First(word => word.StartsWith("sha256:", StringComparison.Ordinal));
        return new PullResult(pull, digest, elapsed);
    }

    // The server is the mirror too: when the mirror fails, nobody else is asked.
    private static string HostsOf(Uri mirrorUrl)
    {
        ArgumentNullException.ThrowIfNull(mirrorUrl);
        var mirror = mirrorUrl.GetLeftPart(UriPartial.Authority);
        return $"server = \"{mirror}\"\n[host.\"{mirror}\"]\n  capabilities = [\"pull\", \"resolve\"]\n";
    }

    private static List<string> Arguments(TempFolder folder)
    {
        File.WriteAllText(folder.File("config.toml"), $"""
            version = 2
            root = "{folder.File("root")}"
            state = "{folder.File("state")}"
            disabled_plugins = ["io.containerd.grpc.v1.cri"]
            [grpc]
              address = "{folder.File("containerd.sock")}"
            """);
        return ["--config", folder.File("config.toml"), "--log-level", "warn"];
    }

    // ctr itself speaks to the registry, the daemon only keeps what it brings.
    private static Task<CommandResult> CtrAsync(TempFolder folder, IEnumerable<string> arguments, CancellationToken cancellationToken = default) =>
        ChildProcess.RunAsync(Client, ["--address", folder.File("containerd.sock"), .. arguments], NoInternet, cancellationToken: cancellationToken);
}
