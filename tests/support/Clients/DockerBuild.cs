using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// Builds with dockerd from a base image of Docker Hub's namespace that comes through <c>registry-mirrors</c>. Nothing is run in the
/// build: the base needs no shell. Needs root. One at a time: they share one daemon, see <see cref="DockerDaemon"/>.
/// </summary>
public static class DockerBuild
{
    /// <summary>Builds an image from a base and forgets both and the build cache, so that the next build begins from nothing.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="baseImage">For example <c>library/small:1</c>.</param>
    /// <param name="buildKit">The BuildKit inside dockerd; otherwise the classic builder.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">docker failed.</exception>
    /// <returns>The diff ids of the image's layers, lowest first, and its labels as JSON.</returns>
    public static Task<BuildResult> RunAsync(Uri mirrorUrl, string baseImage, bool buildKit, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(baseImage);
        return DockerDaemon.UseAsync(DockerDaemon.ConfigurationOf(mirrorUrl), atStart: buildKit, () => BuildAsync(Docker.NameOf(baseImage), buildKit, cancellationToken), cancellationToken);
    }

    private static async Task<BuildResult> BuildAsync(string baseImage, bool buildKit, CancellationToken cancellationToken)
    {
        const string Built = "entrepot-test-built";
        using var context = BuildResult.NewContext(baseImage);
        var build = await DockerDaemon.RunAsync(
            ["build", "--no-cache", "--network", "none", "--tag", Built, context.FullPath], "DOCKER_BUILDKIT", buildKit ? "1" : "0", cancellationToken);
        try
        {
            ClientFailedException.ThrowIfFailed(build);
            return await BuildResult.InspectAsync(build, arguments => DockerDaemon.RunAsync(["image", .. arguments, Built], cancellationToken));
        }
        finally
        {
            await DockerDaemon.RunAsync(["image", "rm", "--force", Built, baseImage], cancellationToken);
            if (buildKit) await DockerDaemon.RunAsync(["builder", "prune", "--all", "--force"], cancellationToken);
        }
    }
}
