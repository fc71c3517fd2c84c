using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// Pulls with containerd (<c>ctr images pull --hosts-dir</c>) through a hosts.toml mirror of docker.io, which sends <c>?ns=docker.io</c>
/// with every request: HEAD of the tag, GET of the manifest by digest, GET of blobs. Needs root. One pull at a time: they share one daemon.
/// </summary>
public static class Containerd
{
    /// <summary>The daemon's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "containerd";

    /// <summary>The client's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Client = "ctr";

    private static readonly SemaphoreSlim OneAtATime = new(1, 1);
    private static readonly Daemon Shared = new(Command, Arguments, async folder => (await CtrAsync(folder, ["version"])).ExitCode == 0);

    /// <summary>Pulls <c>docker.io/IMAGE</c> and forgets it again, so that the next pull begins from nothing.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="allPlatforms">Every platform of an index; otherwise this machine's.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">ctr failed.</exception>
    public static async Task<PullResult> PullAsync(Uri mirrorUrl, string image, bool allPlatforms = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(mirrorUrl);
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            await Shared.StartAsync(cancellationToken);
            using var hosts = new TempFolder("hosts");
            var mirror = mirrorUrl.GetLeftPart(UriPartial.Authority);
            Directory.CreateDirectory(hosts.File("docker.io"));

            // The server is the mirror too: when the mirror fails, nobody else is asked.
            await File.WriteAllTextAsync(
                Path.Combine(hosts.File("docker.io"), "hosts.toml"),
                $"server = \"{mirror}\"\n[host.\"{mirror}\"]\n  capabilities = [\"pull\", \"resolve\"]\n",
                cancellationToken);
            var reference = $"docker.io/{image}";
            string[] platforms = allPlatforms ? ["--all-platforms"] : [];
            var start = TestClock.Now;
            var pull = await CtrAsync(Shared.Folder, ["images", "pull", .. platforms, "--hosts-dir", hosts.FullPath, "--snapshotter", "native", reference], cancellationToken);
            var elapsed = TestClock.Now - start;
            var list = await CtrAsync(Shared.Folder, ["images", "list", $"name=={reference}"], cancellationToken);
            await CtrAsync(Shared.Folder, ["images", "remove", "--sync", reference], cancellationToken);
            await CtrAsync(Shared.Folder, ["content", "prune", "references"], cancellationToken);
            ClientFailedException.ThrowIfFailed(pull);
            var digest = ClientFailedException.ThrowIfFailed(list).StandardOutput.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries)
                .First(word => word.StartsWith("sha256:", StringComparison.Ordinal));
            return new PullResult(pull, digest, elapsed);
        }
        finally
        {
            OneAtATime.Release();
        }
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

    private static Task<CommandResult> CtrAsync(TempFolder folder, IEnumerable<string> arguments, CancellationToken cancellationToken = default) =>
        ChildProcess.RunAsync(Client, ["--address", folder.File("containerd.sock"), .. arguments], cancellationToken: cancellationToken);
}
