using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>Runs <c>docker-compose pull</c>, version 1 or 2, against the dockerd of <see cref="DockerDaemon"/>. Needs root.</summary>
public static class DockerCompose
{
    /// <summary>The command, for <see cref="ClientFactAttribute"/>.</summary>
    public const string Command = "docker-compose";

    /// <summary>Pulls the images of Docker Hub's namespace of one compose file through the mirror, and forgets them again.</summary>
    /// <param name="mirrorUrl">Entrepot's URL.</param>
    /// <param name="images">One of each service, for example <c>library/small:1</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="ClientFailedException">docker-compose failed.</exception>
    /// <returns>The digests as dockerd tells them, in the order of the images.</returns>
    public static Task<IReadOnlyList<string>> PullAsync(Uri mirrorUrl, IReadOnlyList<string> images, CancellationToken cancellationToken = default) =>
        DockerDaemon.UseAsync(DockerDaemon.ConfigurationOf(mirrorUrl), atStart: false, () => PullAsync([.. images.Select(Docker.NameOf)], cancellationToken), cancellationToken);

    private static async Task<IReadOnlyList<string>> PullAsync(string[] names, CancellationToken cancellationToken)
    {
        using var folder = new TempFolder("compose");
        var services = names.Select((name, i) => $"  service{i}:\n    image: \"{name}\"\n");

        // Version 1 needs the version, version 2 only warns of it.
        await File.WriteAllTextAsync(folder.File("docker-compose.yml"), $"version: \"3\"\nservices:\n{string.Concat(services)}", cancellationToken);
        var logged = DockerDaemon.Log.Length;
        var pull = await DockerDaemon.RunOtherAsync(Command, ["--file", folder.File("docker-compose.yml"), "--project-name", "entrepot-test", "pull"], cancellationToken);
        if (pull.ExitCode != 0) throw new ClientFailedException(pull with { Output = $"{pull.Output}dockerd's log:\n{DockerDaemon.Log[logged..]}" });
        var digests = new List<string>();
        foreach (var name in names) digests.Add(await Docker.TakeDigestAsync(name, cancellationToken));
        return digests;
    }
}
