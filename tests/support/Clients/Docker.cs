using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>Pulls with dockerd through <c>registry-mirrors</c>. Needs root. One at a time: they share one daemon, see <see cref="DockerDaemon"/>.</summary>
public static class Docker
{
    /// <summary>The daemon's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "dockerd";

    /// <summary>The client's command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Client = "docker";

    /// <summary>Pulls an image of Docker Hub's namespace through the mirror and forgets it again, so that the next pull begins from nothing.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">docker failed.</exception>
    public static Task<PullResult> PullAsync(Uri mirrorUrl, string image, CancellationToken cancellationToken = default) =>
        PullWithAsync(DockerDaemon.ConfigurationOf(mirrorUrl), image, atStart: false, cancellationToken);

    /// <summary>Pulls an image of Docker Hub's namespace with this very daemon.json, and forgets it again.</summary>
    /// <param name="configuration">What stands in daemon.json.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">docker failed.</exception>
    public static Task<PullResult> PullWithAsync(string configuration, string image, CancellationToken cancellationToken = default) =>
        PullWithAsync(configuration, image, atStart: true, cancellationToken);

    /// <summary>Pulls <c>127.0.0.1:port/IMAGE</c>, the registry named in the image; no mirror is used.</summary>
    /// <inheritdoc cref="PullAsync"/>
    public static Task<PullResult> PullDirectAsync(Uri registryUrl, string image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(registryUrl);
        return DockerDaemon.UseAsync(configuration: null, atStart: false, () => PullAsync($"{registryUrl.Authority}/{image}", cancellationToken), cancellationToken);
    }

    /// <summary>The version of dockerd, for example 20.10.24.</summary>
    public static Task<Version> VersionAsync(CancellationToken cancellationToken = default) => DockerDaemon.UseAsync(
        configuration: null,
        atStart: false,
        async () =>
        {
            var version = ClientFailedException.ThrowIfFailed(await DockerDaemon.RunAsync(["version", "--format", "{{.Server.Version}}"], cancellationToken));
            return Version.Parse(version.StandardOutput.Trim().Split('+', '-')[0]);
        },
        cancellationToken);

    /// <summary>The name by which docker knows an image of Docker Hub: without <c>library/</c>.</summary>
    internal static string NameOf(string image) => image.StartsWith("library/", StringComparison.Ordinal) ? image["library/".Length..] : image;

    /// <summary>The digest of an image that the daemon has, and the image forgotten. The caller has the daemon.</summary>
    internal static async Task<string> TakeDigestAsync(string reference, CancellationToken cancellationToken)
    {
        var inspect = await DockerDaemon.RunAsync(["image", "inspect", "--format", "{{index .RepoDigests 0}}", reference], cancellationToken);
        var digest = ClientFailedException.ThrowIfFailed(inspect).StandardOutput.Trim().Split('@')[^1];

        // A failed pull leaves no image; layers of one that succeeded go with it.
        ClientFailedException.ThrowIfFailed(await DockerDaemon.RunAsync(["image", "rm", "--force", reference], cancellationToken));
        return digest;
    }

    private static Task<PullResult> PullWithAsync(string configuration, string image, bool atStart, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(image);
        return DockerDaemon.UseAsync(configuration, atStart, () => PullAsync(NameOf(image), cancellationToken), cancellationToken);
    }

    private static async Task<PullResult> PullAsync(string reference, CancellationToken cancellationToken)
    {
        var start = TestClock.Now;
        var logged = DockerDaemon.Log.Length;
        var pull = await DockerDaemon.RunAsync(["pull", "--quiet", reference], cancellationToken);
        if (pull.ExitCode != 0)
        {
            // What the client tells is that Docker Hub was not reached; why the mirror was left is in the daemon's log.
            throw new ClientFailedException(pull with { Output = $"{pull.Output}dockerd's log:\n{DockerDaemon.Log[logged..]}" });
        }

        var elapsed = TestClock.Now - start;
        return new PullResult(pull, await TakeDigestAsync(reference, cancellationToken), elapsed);
    }
}
