using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>Pulls with podman into an empty storage of its own (vfs). Needs root. Safe to use from several threads.</summary>
public static class Podman
{
    /// <summary>The command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "podman";

    /// <summary>Pulls <c>docker.io/IMAGE</c> through registries.conf, in which the URL stands as the mirror and, so that nothing else is ever asked, as docker.io itself.</summary>
    /// <param name="mirrorUrl">Entrepot's URL, with or without a path in front of the image's name.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">podman failed.</exception>
    public static Task<PullResult> PullAsync(Uri mirrorUrl, string image, CancellationToken cancellationToken = default) =>
        RunAsync(mirrorUrl, $"docker.io/{image}", cancellationToken);

    /// <summary>Pulls <c>127.0.0.1:port/IMAGE</c>, the registry named in the image.</summary>
    /// <inheritdoc cref="PullAsync"/>
    public static Task<PullResult> PullDirectAsync(Uri registryUrl, string image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(registryUrl);
        return RunAsync(registryUrl, $"{registryUrl.Authority}/{image}", cancellationToken);
    }

    private static async Task<PullResult> RunAsync(Uri url, string reference, CancellationToken cancellationToken)
    {
        using var folder = new TempFolder("podman");
        var location = url.Authority + url.AbsolutePath.TrimEnd('/');
        await File.WriteAllTextAsync(
            folder.File("registries.conf"),
            $"""
            unqualified-search-registries = []
            [[registry]]
            prefix = "docker.io"
            location = "{location}"
            insecure = true
            [[registry.mirror]]
            location = "{location}"
            insecure = true
            [[registry]]
            location = "{url.Authority}"
            insecure = true
            """,
            cancellationToken);
        await File.WriteAllTextAsync(folder.File("auth.json"), "{}", cancellationToken);
        var environment = new Dictionary<string, string?>
        {
            ["CONTAINERS_REGISTRIES_CONF"] = folder.File("registries.conf"),
            ["REGISTRY_AUTH_FILE"] = folder.File("auth.json"),
            ["XDG_RUNTIME_DIR"] = null,
            ["TMPDIR"] = folder.FullPath,
        };
        string[] own =
        [
            "--root", folder.File("root"), "--runroot", folder.File("run"), "--tmpdir", folder.File("tmp"), "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", "--events-backend", "none",
        ];
        var start = TestClock.Now;
        var pull = ClientFailedException.ThrowIfFailed(await ChildProcess.RunAsync(Command, [.. own, "pull", "--quiet", reference], environment, cancellationToken: cancellationToken));
        var elapsed = TestClock.Now - start;
        var inspect = await ChildProcess.RunAsync(Command, [.. own, "image", "inspect", "--format", "{{.Digest}}", reference], environment, cancellationToken: cancellationToken);
        return new PullResult(pull, ClientFailedException.ThrowIfFailed(inspect).StandardOutput.Trim(), elapsed);
    }
}
