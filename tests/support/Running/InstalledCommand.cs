namespace Entrepot.TestSupport.Running;

/// <summary>Looks commands up as a shell does, with the folders of system daemons and of docker's plug-ins added.</summary>
public static class InstalledCommand
{
    /// <summary>PATH with the sbin folders at its end, and where packages put <c>docker-compose</c> when it is a plug-in, which runs by itself as well.</summary>
    public static string SearchPath { get; } =
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/local/sbin:/usr/sbin:/sbin:/usr/libexec/docker/cli-plugins:/usr/lib/docker/cli-plugins:/usr/local/lib/docker/cli-plugins";

    /// <summary>The absolute path of a command, or null when it is not installed.</summary>
    public static string? Find(string command) =>
        Path.IsPathRooted(command)
            ? File.Exists(command) ? command : null
            : SearchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
}
