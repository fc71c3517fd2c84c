using Entrepot.Bench.Results;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>What is measured besides <see cref="Metric"/>'s own.</summary>
internal static class Figures
{
    /// <summary>Of one reader, 2^20 bytes a second.</summary>
    public static readonly Metric Rate = new("MiB/s", 0);

    /// <summary>Whole pulls.</summary>
    public static readonly Metric Images = new("images/s", 1);

    /// <summary>Whole pulls, the longest of them.</summary>
    public static readonly Metric SlowestImage = new("slowest image, s", 2);

    /// <summary>Of all processors, while it was measured, by everything that ran.</summary>
    public static readonly Metric Busy = new("machine busy, %", 0);

    /// <summary>CPU time of a part of the cluster, all its processes together, for each image.</summary>
    public static Metric PerImage(string part) => new($"CPU ms per image, {part}", 1);

    /// <summary>The largest difference between what a replica's metric says of a kind and state, and the rows of that kind and state.</summary>
    public static readonly Metric QueueOff = new("queue metric, rows off", 0);
}
