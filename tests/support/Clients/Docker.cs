using System.Text.Json;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// Pulls with dockerd through <c>registry-mirrors</c>: own daemon (vfs, no bridge), pointed to another mirror by SIGHUP. Needs root.
/// When a mirror fails dockerd turns to Docker Hub; here that goes to a proxy that nobody listens on, so a failed mirror is a failed
/// pull everywhere. One pull at a time: they share one daemon.
/// </summary>
public static class Docker
{
    /// <summary>The daemon's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "dockerd";

    /// <summary>The client's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Client = "docker";

    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    private static readonly Daemon Shared = new(
        Command,
        Arguments,
        async folder => (await DockerAsync(folder, ["version"])).ExitCode == 0,
        new Dictionary<string, string?> { ["HTTP_PROXY"] = "http://127.0.0.1:9", ["HTTPS_PROXY"] = "http://127.0.0.1:9", ["NO_PROXY"] = "127.0.0.0/8,localhost" });

    /// <summary>Pulls an image of Docker Hub's namespace through the mirror and forgets it again, so that the next pull begins from nothing.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">docker failed.</exception>
    public static Task<PullResult> PullAsync(Uri mirrorUrl, string image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(image);
        return RunAsync(mirrorUrl, image.StartsWith("library/", StringComparison.Ordinal) ? image["library/".Length..] : image, cancellationToken);
    }

    /// <summary>Pulls <c>127.0.0.1:port/IMAGE</c>, the registry named in the image; no mirror is used.</summary>
    /// <inheritdoc cref="PullAsync"/>
    public static Task<PullResult> PullDirectAsync(Uri registryUrl, string image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(registryUrl);
        return RunAsync(mirrorUrl: null, $"{registryUrl.Authority}/{image}", cancellationToken);
    }

    private static async Task<PullResult> RunAsync(Uri? mirrorUrl, string reference, CancellationToken cancellationToken)
    {
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            await Shared.StartAsync(cancellationToken);
            if (mirrorUrl is not null) await PointToAsync(mirrorUrl, cancellationToken);
            var start = TestClock.Now;
            var logged = Shared.Output.Length;
            var pull = await DockerAsync(Shared.Folder, ["pull", "--quiet", reference], cancellationToken);
            if (pull.ExitCode != 0)
            {
                // What the client tells is that Docker Hub was not reached; why the mirror was left is in the daemon's log.
                throw new ClientFailedException(pull with { Output = $"{pull.Output}dockerd's log:\n{Shared.Output[logged..]}" });
            }

            var elapsed = TestClock.Now - start;
            var inspect = await DockerAsync(Shared.Folder, ["image", "inspect", "--format", "{{index .RepoDigests 0}}", reference], cancellationToken);
            var digest = ClientFailedException.ThrowIfFailed(inspect).StandardOutput.Trim().Split('@')[^1];

            // A failed pull leaves no image; layers of one that succeeded go with it.
            ClientFailedException.ThrowIfFailed(await DockerAsync(Shared.Folder, ["image", "rm", "--force", reference], cancellationToken));
            return new PullResult(pull, digest, elapsed);
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    private static async Task PointToAsync(Uri mirrorUrl, CancellationToken cancellationToken)
    {
        var mirror = mirrorUrl.GetLeftPart(UriPartial.Authority) + "/";
        if (await HasMirrorAsync(mirror, cancellationToken)) return;
        WriteConfiguration(Shared.Folder, mirror);
        Posix.Signal(Shared.Id, Posix.SigHup);
        await Eventually.Async(() => HasMirrorAsync(mirror, cancellationToken), TimeSpan.FromSeconds(10), $"dockerd to use the mirror {mirror}", cancellationToken);
    }

    private static async Task<bool> HasMirrorAsync(string mirror, CancellationToken cancellationToken)
    {
        var info = await DockerAsync(Shared.Folder, ["info", "--format", "{{json .RegistryConfig.Mirrors}}"], cancellationToken);
        return info.StandardOutput.Contains($"[\"{mirror}\"]", StringComparison.Ordinal);
    }

    private static string[] Arguments(TempFolder folder)
    {
        WriteConfiguration(folder);
        return
        [
            "--config-file", folder.File("daemon.json"), "--storage-driver", "vfs", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--data-root", folder.File("data"),
            "--exec-root", folder.File("exec"), "--pidfile", folder.File("docker.pid"), "--host", Socket(folder), "--log-level", "info",
        ];
    }

    private static void WriteConfiguration(TempFolder folder, params string[] mirrors) =>
        File.WriteAllText(folder.File("daemon.json"), JsonSerializer.Serialize(new Dictionary<string, string[]> { ["registry-mirrors"] = mirrors, ["insecure-registries"] = ["127.0.0.0/8"] }));

    private static string Socket(TempFolder folder) => $"unix://{folder.File("docker.sock")}";

    // A distribution's own client is preferred: a wrapper of that name earlier on PATH need not be one.
    private static Task<CommandResult> DockerAsync(TempFolder folder, IEnumerable<string> arguments, CancellationToken cancellationToken = default) =>
        ChildProcess.RunAsync(
            InstalledCommand.Find("/usr/bin/docker") ?? Client,
            ["--host", Socket(folder), .. arguments],
            new Dictionary<string, string?> { ["DOCKER_CONFIG"] = folder.FullPath, ["DOCKER_CONTEXT"] = null },
            cancellationToken: cancellationToken);
}
