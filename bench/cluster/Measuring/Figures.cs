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

    /// <summary>Clients without an answer, with another status than 200, or with a body that ended too early.</summary>
    public static readonly Metric Errors = new("client errors", 0);

    /// <summary>Clients that got all bytes, and not those of the digest.</summary>
    public static readonly Metric WrongDigests = new("wrong digests", 0);

    /// <summary>Requests that the upstream saw before, with the same method, path and range; and GETs of a blob that brought bytes which another one had brought.</summary>
    public static readonly Metric Repeated = new("upstream requests repeated", 0);

    /// <summary>What left the upstream of a layer, as a multiple of its size.</summary>
    public static readonly Metric LayerBytes = new("upstream bytes, × the layer", 3);

    /// <summary>The largest difference between what a replica's metric says of a kind and state, and the rows of that kind and state.</summary>
    public static readonly Metric QueueOff = new("queue metric, rows off", 0);
}
