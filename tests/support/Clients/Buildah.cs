using System.Text.Json;

namespace Entrepot.TestSupport.Clients;

/// <summary>Builds with buildah in an empty storage of its own. Needs root. Safe to use from several threads.</summary>
public static class Buildah
{
    /// <summary>The command, for <see cref="Running.ClientFactAttribute"/>.</summary>
    public const string Command = "buildah";

    /// <summary>Makes a working container of a base of <c>docker.io</c> that comes through the mirror (<c>buildah from</c>).</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="baseImage">For example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">buildah failed.</exception>
    /// <returns>The digest of the base as buildah tells it.</returns>
    public static async Task<string> FromAsync(Uri mirrorUrl, string baseImage, CancellationToken cancellationToken = default)
    {
        using var storage = ContainersStorage.Through(mirrorUrl);
        var container = ClientFailedException.ThrowIfFailed(await storage.BuildahAsync(["from", "--quiet", $"docker.io/{baseImage}"], cancellationToken)).StandardOutput.Trim();
        var inspect = await storage.BuildahAsync(["inspect", "--format", "{{.FromImageDigest}}", container], cancellationToken);
        return ClientFailedException.ThrowIfFailed(inspect).StandardOutput.Trim();
    }

    /// <summary>Builds from a base of <c>docker.io</c> that comes through the mirror (<c>buildah build</c>).</summary>
    /// <inheritdoc cref="FromAsync"/>
    public static async Task<BuildResult> BuildAsync(Uri mirrorUrl, string baseImage, CancellationToken cancellationToken = default)
    {
        const string Built = "localhost/entrepot-test-built";
        using var storage = ContainersStorage.Through(mirrorUrl);
        using var context = BuildResult.NewContext($"docker.io/{baseImage}");
        var build = ClientFailedException.ThrowIfFailed(await storage.BuildahAsync(["build", "--no-cache", "--tag", Built, context.FullPath], cancellationToken));
        var inspect = ClientFailedException.ThrowIfFailed(await storage.BuildahAsync(["inspect", "--type", "image", Built], cancellationToken));
        using var json = JsonDocument.Parse(inspect.StandardOutput);
        var image = json.RootElement.GetProperty("OCIv1");
        var diffIds = image.GetProperty("rootfs").GetProperty("diff_ids").EnumerateArray().Select(id => id.GetString()!).ToArray();
        return new BuildResult(build, diffIds, image.GetProperty("config").GetProperty("Labels").GetProperty("test").GetString()!);
    }
}
