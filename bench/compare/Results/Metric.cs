using System.Globalization;

namespace Entrepot.Bench.Results;

/// <summary>Something that is measured.</summary>
/// <param name="Name">As the table and <c>raw.tsv</c> call it, with its unit.</param>
/// <param name="Decimals">How many decimals the table shows.</param>
internal sealed record Metric(string Name, int Decimals)
{
    /// <summary>Answers per second.</summary>
    public static readonly Metric Requests = new("requests/s", 0);

    /// <summary>CPU time of the server's processes.</summary>
    public static readonly Metric CpuPerThousand = new("CPU ms per 1,000 requests", 1);

    /// <summary>Half of the answers came within this time.</summary>
    public static readonly Metric P50 = new("p50, ms", 2);

    /// <summary>99 of 100 answers came within this time.</summary>
    public static readonly Metric P99 = new("p99, ms", 2);

    /// <summary>All readers together, 10^6 bytes a second.</summary>
    public static readonly Metric Rate = new("MB/s", 0);

    /// <summary>CPU time of the server's processes for each GiB that was read.</summary>
    public static readonly Metric CpuPerGiB = new("CPU s per GiB", 3);

    /// <summary>CPU time of the readers for each GiB; in <c>raw.tsv</c> only.</summary>
    public static readonly Metric ReaderCpuPerGiB = new("readers' CPU s per GiB", 3);

    /// <summary>From before the manifest request until the slowest has all.</summary>
    public static readonly Metric Seconds = new("slowest, s", 2);

    /// <summary>From before its connection to a reader's first byte of the body; of the reader that waited longest.</summary>
    public static readonly Metric FirstByte = new("worst first byte, ms", 0);

    /// <summary>CPU time of the server's processes from the first request until they are quiet again.</summary>
    public static readonly Metric Cpu = new("CPU, s", 2);

    /// <summary>What the upstream sent of blobs, counted from before the manifest request, as a multiple of what the image has.</summary>
    public static readonly Metric UpstreamBytes = new("upstream bytes, × the image", 3);

    /// <summary>GETs of blobs that the upstream saw; in <c>raw.tsv</c> only.</summary>
    public static readonly Metric UpstreamRequests = new("upstream blob requests", 0);

    /// <summary>The most resident memory of the server's processes while it was measured.</summary>
    public static readonly Metric Peak = new("peak RSS, MiB", 0);

    /// <summary>A whole pull with nothing in the cache.</summary>
    public static readonly Metric ColdPull = new("cold, s", 2);

    /// <summary>A whole pull of what is held.</summary>
    public static readonly Metric HotPull = new("hot, s", 2);

    /// <summary>Bytes of blobs that the upstream sent though nobody asked for a blob.</summary>
    public static readonly Metric BlobBytes = new("blob bytes from upstream", 0);

    /// <summary>The median of resident memory in the last minute over that in the second minute.</summary>
    public static readonly Metric Growth = new("RSS, last minute over second", 3);

    /// <summary>A value as the table shows it.</summary>
    public string Show(double value) => value.ToString($"N{Decimals}", CultureInfo.InvariantCulture);
}
