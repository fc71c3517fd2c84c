using System.Globalization;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>How much the processors of the machine have done so far, in the kernel's ticks. Source: proc(5), /proc/stat.</summary>
/// <param name="Idle">Idle, or waiting for a disk.</param>
/// <param name="All">All of it.</param>
internal readonly record struct CpuTimes(double Idle, double All)
{
    /// <summary>As of now.</summary>
    public static CpuTimes Read()
    {
        // user nice system idle iowait irq softirq steal; guests' time is in user's already.
        var ticks = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1..9].Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        return new CpuTimes(ticks[3] + ticks[4], ticks.Sum());
    }

    /// <summary>How much of all processors was used since then, in percent.</summary>
    public double BusySince(CpuTimes before) => 100 * (1 - ((Idle - before.Idle) / Math.Max(1, All - before.All)));
}
