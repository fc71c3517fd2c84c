using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>Pulls and builds with podman in an empty storage of its own. Needs root. Safe to use from several threads.</summary>
public static class Podman
{
    /// <summary>The command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "podman";

    /// <summary>Pulls <c>docker.io/IMAGE</c> through registries.conf, in which the URL stands as the mirror and, so that nothing else is ever asked, as docker.io itself.</summary>
    /// <param name="mirrorUrl">Entrepot's URL, with or without a path in front of the image's name.</param>
    /// <param name="image">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">podman failed.</exception>
    public static async Task<PullResult> PullAsync(Uri mirrorUrl, string image, CancellationToken cancellationToken = default)
    {
        using var storage = ContainersStorage.Through(mirrorUrl);
        return await PullAsync(storage, $"docker.io/{image}", cancellationToken);
    }

    /// <summary>Pulls <c>127.0.0.1:port/IMAGE</c>, the registry named in the image.</summary>
    /// <inheritdoc cref="PullAsync(Uri, string, CancellationToken)"/>
    public static async Task<PullResult> PullDirectAsync(Uri registryUrl, string image, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(registryUrl);
        using var storage = ContainersStorage.Through(registryUrl);
        return await PullAsync(storage, $"{registryUrl.Authority}/{image}", cancellationToken);
    }

    /// <summary>Pulls with this very registries.conf. Registries that are not on loopback do not answer.</summary>
    /// <param name="registriesConf">What stands in registries.conf.</param>
    /// <param name="reference">The whole name, for example <c>docker.io/library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">podman failed.</exception>
    public static async Task<PullResult> PullWithAsync(string registriesConf, string reference, CancellationToken cancellationToken = default)
    {
        using var storage = ContainersStorage.Of(registriesConf);
        return await PullAsync(storage, reference, cancellationToken);
    }

    /// <summary>Builds from a base of <c>docker.io</c> that comes through the mirror.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="baseImage">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">podman failed.</exception>
    public static async Task<BuildResult> BuildAsync(Uri mirrorUrl, string baseImage, CancellationToken cancellationToken = default)
    {
        const string Built = "localhost/entrepot-test-built";
        using var storage = ContainersStorage.Through(mirrorUrl);
        using var context = BuildResult.NewContext($"docker.io/{baseImage}");
        var build = ClientFailedException.ThrowIfFailed(await storage.PodmanAsync(["build", "--no-cache", "--tag", Built, context.FullPath], cancellationToken));
        return await BuildResult.InspectAsync(build, arguments => storage.PodmanAsync(["image", .. arguments, Built], cancellationToken));
    }

    private static async Task<PullResult> PullAsync(ContainersStorage storage, string reference, CancellationToken cancellationToken)
    {
        var start = TestClock.Now;
        var pull = ClientFailedException.ThrowIfFailed(await storage.PodmanAsync(["pull", "--quiet", reference], cancellationToken));
        var elapsed = TestClock.Now - start;
        var inspect = await storage.PodmanAsync(["image", "inspect", "--format", "{{.Digest}}", reference], cancellationToken);
        return new PullResult(pull, ClientFailedException.ThrowIfFailed(inspect).StandardOutput.Trim(), elapsed);
    }
}
