using System.Globalization;
using System.Runtime.InteropServices;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Results;

/// <summary>What was measured and where, without any name of the machine or of a folder.</summary>
internal static class Machine
{
    /// <summary>Cores, processor, memory, kernel, system, and how busy it was.</summary>
    public static string Describe()
    {
        var processor = Value("/proc/cpuinfo", "model name", ':') ?? RuntimeInformation.ProcessArchitecture.ToString();
        var memory = double.Parse(Value("/proc/meminfo", "MemTotal", ':')!.Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) / (1 << 20);
        var system = Value("/etc/os-release", "PRETTY_NAME", '=')?.Trim('"') ?? "Linux";
        var kernel = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        var load = File.ReadAllText("/proc/loadavg").Split(' ')[0];
        return string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessorCount} cores, {processor}, {memory:0} GiB, {system}, kernel {kernel}; load average at the start {load}");
    }

    /// <summary>Entrepot's commit, with a plus when its sources differ from it.</summary>
    public static async Task<string> EntrepotVersionAsync(CancellationToken cancellationToken)
    {
        var commit = await FirstLineAsync("git", ["-C", Checkout.Root, "rev-parse", "--short", "HEAD"], cancellationToken);
        if (commit is null) return "unknown";
        var changes = await FirstLineAsync("git", ["-C", Checkout.Root, "status", "--porcelain", "--", "services", "shared"], cancellationToken);
        return string.IsNullOrEmpty(changes) ? commit : commit + "+";
    }

    /// <summary>.NET's version, and that of each command.</summary>
    /// <param name="commands">Each with the argument that makes it tell its version.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<string> VersionsAsync(IEnumerable<(string Command, string Argument)> commands, CancellationToken cancellationToken)
    {
        var versions = new List<string> { RuntimeInformation.FrameworkDescription };
        foreach (var (command, argument) in commands)
        {
            var line = await FirstLineAsync(command, [argument], cancellationToken) ?? "missing";
            var version = line.Split([' ', '/']).FirstOrDefault(word => word.Any(char.IsDigit) && word.Contains('.', StringComparison.Ordinal) && !word.Contains("github", StringComparison.Ordinal)) ?? line;
            versions.Add($"{command} {version}");
        }

        return string.Join(", ", versions);
    }

    private static async Task<string?> FirstLineAsync(string command, string[] arguments, CancellationToken cancellationToken)
    {
        try
        {
            var result = await ChildProcess.RunAsync(command, arguments, cancellationToken: cancellationToken);
            return result.ExitCode == 0 || command == "wrk" ? result.Output.Split('\n')[0].Trim() : null; // wrk -v ends with 1
        }
        catch (ClientMissingException)
        {
            return null;
        }
    }

    private static string? Value(string file, string key, char separator) =>
        File.Exists(file) && File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) is { } line
            ? line[(line.IndexOf(separator, StringComparison.Ordinal) + 1)..].Trim()
            : null;
}
