using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Entrepot.Hosting;

namespace Entrepot.Fetcher;

/// <summary>How much one fetcher does at a time, and when it gives up.</summary>
public sealed class FetcherOptions
{
    /// <summary>How many fetches run at once. Half of them are kept for small ones.</summary>
    [Description("How many fetches one fetcher runs at once; half of them are kept for manifests, tags and blobs under 16 MiB")]
    [Range(2, 256)]
    public int Slots { get; set; } = 32;

    /// <summary>Where api replicas reach this very process, in a cluster; made of <c>Urls</c> and the machine's name by default.</summary>
    [Description("In a cluster: where the api's replicas reach this very process and no other, such as http://10.0.0.7:5000. By default made of Urls and the machine's name.")]
    public Uri? AdvertisedUrl { get; set; }

    /// <summary>How many of the running fetches may be prefetches.</summary>
    [Description("How many prefetches run at once")]
    [Range(0, 64)]
    public int PrefetchConcurrency { get; set; } = 8;

    /// <summary>From which size on a blob is downloaded over several connections.</summary>
    [Description("From which size on a blob is downloaded over several connections")]
    [ByteSize]
    [Range(1L << 20, 1L << 40)]
    public long ParallelFrom { get; set; } = 32L << 20;

    /// <summary>How long a download that nobody waits for, and that is less than half done, goes on.</summary>
    /// <remarks>Who waits says so every ten seconds: fewer, and a download would be given up under its waiters.</remarks>
    [Description("How long a download goes on that nobody waits for and that is less than half done")]
    [Range(typeof(TimeSpan), "00:00:15", "1.00:00:00")]
    public TimeSpan AbandonAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a running download may stand still before it fails.</summary>
    [Description("How long a running download tries to get its next byte before it fails")]
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan GiveUpAfter { get; set; } = TimeSpan.FromSeconds(60);
}
