using System.Text.Json;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Clients;

/// <summary>
/// The dockerd of a test run: vfs, no bridge, on a socket of its own. One user at a time. When a mirror fails dockerd turns to Docker
/// Hub; here that goes to a proxy that nobody listens on, so a failed mirror is a failed pull everywhere.
/// </summary>
internal static class DockerDaemon
{
    private static readonly SemaphoreSlim OneAtATime = new(1, 1);

    private static readonly Daemon Shared = new(
        Docker.Command,
        Arguments,
        async folder => (await RunAsync(folder, ["version"])).ExitCode == 0,
        new Dictionary<string, string?> { ["HTTP_PROXY"] = "http://127.0.0.1:9", ["HTTPS_PROXY"] = "http://127.0.0.1:9", ["NO_PROXY"] = "127.0.0.0/8,localhost" });

    private static string _configuration = ConfigurationOf(mirrorUrl: null);
    private static string? _configurationAtStart;

    /// <summary>What it has logged since it was started.</summary>
    public static string Log => Shared.Output;

    /// <summary>The daemon.json of a mirror.</summary>
    public static string ConfigurationOf(Uri? mirrorUrl) =>
        JsonSerializer.Serialize(new Dictionary<string, string[]> { ["registry-mirrors"] = mirrorUrl is null ? [] : [mirrorUrl.GetLeftPart(UriPartial.Authority)], ["insecure-registries"] = ["127.0.0.0/8"] });

    /// <summary>Runs something with the daemon to itself.</summary>
    /// <param name="configuration">Its daemon.json, with at most one mirror; null keeps the one it has.</param>
    /// <param name="atStart">Whether it must have been started with it. Otherwise SIGHUP is enough, which makes pulls use another mirror, but not the BuildKit inside.</param>
    /// <param name="use">What is run.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<T> UseAsync<T>(string? configuration, bool atStart, Func<Task<T>> use, CancellationToken cancellationToken)
    {
        await OneAtATime.WaitAsync(cancellationToken);
        try
        {
            var wanted = configuration ?? _configuration;
            if (atStart && _configurationAtStart is { } before && before != wanted) await Shared.StopAsync(cancellationToken);
            var isNew = wanted != _configuration;
            _configuration = wanted;
            await Shared.StartAsync(cancellationToken);
            if (isNew) await ReloadAsync(cancellationToken);
            return await use();
        }
        finally
        {
            OneAtATime.Release();
        }
    }

    /// <summary>Runs docker's client.</summary>
    public static Task<CommandResult> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) => RunAsync(Shared.Folder, arguments, cancellationToken);

    /// <summary>Runs docker's client with a variable set.</summary>
    public static Task<CommandResult> RunAsync(IEnumerable<string> arguments, string variable, string value, CancellationToken cancellationToken) =>
        RunAsync(DockerCommand, Shared.Folder, arguments, (variable, value), cancellationToken);

    /// <summary>Runs another client of the daemon, one that reads <c>DOCKER_HOST</c>.</summary>
    public static Task<CommandResult> RunOtherAsync(string command, IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        RunAsync(command, Shared.Folder, arguments, variable: null, cancellationToken);

    // A distribution's own client is preferred: a wrapper of that name earlier on PATH need not be one.
    private static string DockerCommand => InstalledCommand.Find("/usr/bin/docker") ?? Docker.Client;

    private static Task<CommandResult> RunAsync(TempFolder folder, IEnumerable<string> arguments, CancellationToken cancellationToken = default) =>
        RunAsync(DockerCommand, folder, arguments, variable: null, cancellationToken);

    private static Task<CommandResult> RunAsync(string command, TempFolder folder, IEnumerable<string> arguments, (string Name, string Value)? variable, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string?> { ["DOCKER_HOST"] = $"unix://{folder.File("docker.sock")}", ["DOCKER_CONFIG"] = folder.FullPath, ["DOCKER_CONTEXT"] = null };
        if (variable is { } set) environment[set.Name] = set.Value;
        return ChildProcess.RunAsync(command, arguments, environment, cancellationToken: cancellationToken);
    }

    private static async Task ReloadAsync(CancellationToken cancellationToken)
    {
        using var wanted = JsonDocument.Parse(_configuration);
        var mirrors = wanted.RootElement.TryGetProperty("registry-mirrors", out var list) ? list.EnumerateArray().Select(mirror => mirror.GetString()!.TrimEnd('/')).ToArray() : [];
        if (await HasMirrorsAsync(mirrors, cancellationToken)) return;
        await File.WriteAllTextAsync(Shared.Folder.File("daemon.json"), _configuration, cancellationToken);
        Posix.Signal(Shared.Id, Posix.SigHup);
        await Eventually.Async(() => HasMirrorsAsync(mirrors, cancellationToken), TimeSpan.FromSeconds(10), $"dockerd to use the mirrors of {_configuration}", cancellationToken);
    }

    private static async Task<bool> HasMirrorsAsync(string[] mirrors, CancellationToken cancellationToken)
    {
        var info = await RunAsync(["info", "--format", "{{json .RegistryConfig.Mirrors}}"], cancellationToken);
        return info.ExitCode == 0 && (JsonSerializer.Deserialize<string[]>(info.StandardOutput) ?? []).Select(mirror => mirror.TrimEnd('/')).SequenceEqual(mirrors);
    }

    private static string[] Arguments(TempFolder folder)
    {
        File.WriteAllText(folder.File("daemon.json"), _configuration);
        _configurationAtStart = _configuration;
        return
        [
            "--config-file", folder.File("daemon.json"), "--storage-driver", "vfs", "--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--data-root", folder.File("data"),
            "--exec-root", folder.File("exec"), "--pidfile", folder.File("docker.pid"), "--host", $"unix://{folder.File("docker.sock")}", "--log-level", "info",
        ];
    }
}
