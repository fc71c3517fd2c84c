using System.Globalization;
using System.Runtime.InteropServices;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Measuring;

/// <summary>What a process and all below it use, by <c>/proc</c>. Each question looks at the processes there are at that moment. Source: proc(5).</summary>
/// <param name="root">Id of the process that was started.</param>
internal sealed class ProcessTree(int root)
{
    private const int ClockTicks = 2; // _SC_CLK_TCK
    private static readonly double TickMilliseconds = 1000.0 / Sysconf(ClockTicks);

    /// <summary>CPU time used so far, user and system, in milliseconds, that of the tree's processes that have ended included; the kernel counts in steps of 10 ms.</summary>
    public double CpuMilliseconds => Ids().Sum(id => Stat(id) is { } stat ? stat[11..15].Sum(Number) * TickMilliseconds : 0);

    /// <summary>Resident memory now, in MiB. What processes share is counted for each.</summary>
    public double RssMiB => Ids().Sum(id => StatusKiB(id, "VmRSS:")) / 1024.0;

    /// <summary>The sum of each process's own peak of resident memory since <see cref="ResetPeak"/>, in MiB.</summary>
    public double PeakMiB => Ids().Sum(id => StatusKiB(id, "VmHWM:")) / 1024.0;

    /// <summary>Makes the peaks begin anew from the memory of now.</summary>
    public void ResetPeak()
    {
        foreach (var id in Ids())
        {
            try
            {
                File.WriteAllText($"/proc/{id}/clear_refs", "5");
            }
            catch (IOException)
            {
                // It has ended.
            }
        }
    }

    /// <summary>Waits until the tree has used at most 10 ms of CPU in each of three quarters of a second, one behind the other.</summary>
    /// <returns>Whether it came to that within 30 s.</returns>
    public async Task<bool> QuietAsync(CancellationToken cancellationToken)
    {
        var end = TestClock.Now + TimeSpan.FromSeconds(30);
        var used = CpuMilliseconds;
        for (var calm = 0; calm < 3;)
        {
            if (TestClock.Now > end) return false;
            await Task.Delay(TimeSpan.FromMilliseconds(250), cancellationToken);
            var now = CpuMilliseconds;
            calm = now - used <= 10.5 ? calm + 1 : 0;
            used = now;
        }

        return true;
    }

    private List<int> Ids()
    {
        var children = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0)
            .Select(id => (Id: id, Stat: Stat(id)))
            .Where(process => process.Stat is not null)
            .ToLookup(process => (int)Number(process.Stat![1]), process => process.Id);
        var ids = new List<int> { root };
        for (var i = 0; i < ids.Count; i++) ids.AddRange(children[ids[i]]);
        return ids;
    }

    // The fields behind the command's name, which may hold blanks and brackets itself: [0] is the state, [1] the parent, [11] and [12] user and system time, [13] and [14] that of children it has waited for.
    private static string[]? Stat(int id)
    {
        try
        {
            var line = File.ReadAllText($"/proc/{id}/stat");
            return line[(line.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null; // It has ended.
        }
    }

    private static double StatusKiB(int id, string key)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal));
            return line is null ? 0 : Number(line[key.Length..].Replace("kB", "", StringComparison.Ordinal).Trim());
        }
        catch (IOException)
        {
            return 0; // It has ended.
        }
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);

    [DllImport("libc", EntryPoint = "sysconf")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Sysconf(int name);
}
