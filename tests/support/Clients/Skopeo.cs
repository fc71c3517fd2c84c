using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>Pulls with skopeo: every platform, every blob, into an empty folder. Safe to use from several threads.</summary>
public static class Skopeo
{
    /// <summary>The command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "skopeo";

    /// <summary>Copies an image from a registry; skopeo checks every digest.</summary>
    /// <param name="registryUrl">Entrepot's URL, or a registry's; http only.</param>
    /// <param name="image">For example <c>library/small:1</c> or <c>lab.test/library/small@sha256:…</c>.</param>
    /// <param name="toOciLayout">Into an OCI layout; otherwise into a plain folder, with the manifest byte for byte.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">skopeo failed.</exception>
    public static async Task<PullResult> PullAsync(Uri registryUrl, string image, bool toOciLayout = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(registryUrl);
        using var folder = new TempFolder("skopeo");
        var source = $"docker://{registryUrl.Authority}/{image}";
        var start = TestClock.Now;
        var destination = toOciLayout ? $"oci:{folder.File("i")}:x" : $"dir:{folder.File("i")}";
        string[] exact = toOciLayout ? [] : ["--preserve-digests"];
        var result = await ChildProcess.RunAsync(
            Command,
            ["--insecure-policy", "copy", "--quiet", "--all", .. exact, "--src-no-creds", "--src-tls-verify=false", source, destination],
            cancellationToken: cancellationToken);
        ClientFailedException.ThrowIfFailed(result);
        var manifest = toOciLayout ? "index.json" : "manifest.json";
        var bytes = await File.ReadAllBytesAsync(Path.Combine(folder.File("i"), manifest), cancellationToken);
        var digest = toOciLayout
            ? System.Text.Json.JsonDocument.Parse(bytes).RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!
            : Content.DigestOf(bytes);
        return new PullResult(result, digest, TestClock.Now - start);
    }
}
