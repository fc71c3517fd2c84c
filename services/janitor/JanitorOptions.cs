using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Entrepot.Hosting;

namespace Entrepot.Janitor;

/// <summary>How much is kept, and how often is tidied up.</summary>
public sealed class JanitorOptions
{
    /// <summary>How many bytes of blobs the store keeps; 0 for no bound.</summary>
    /// <remarks>Without a bound the standalone service evicts when a download finds no room on its disk. In the cluster nobody does: a fetcher does not see the store's disk.</remarks>
    [Description("How many bytes of blobs the store keeps, least recently used ones go first. 0 = no bound: standalone then evicts only when a download finds no room on the disk, the cluster never")]
    [ByteSize]
    [Range(0L, 1L << 52)]
    public long MaxStoreBytes { get; set; }

    /// <summary>How often the sweeps run that ask the database alone, or list what is short.</summary>
    [Description("How often rows of finished fetches, blobs over the bound, spools and uploads that belong to nothing are swept")]
    [Range(typeof(TimeSpan), "00:00:00.500", "1.00:00:00")]
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the store is listed: a million objects are a thousand requests to an S3 server.</summary>
    [Description("How often the whole store is listed to find objects that belong to nothing")]
    [Range(typeof(TimeSpan), "00:00:00.500", "7.00:00:00")]
    public TimeSpan OrphanInterval { get; set; } = TimeSpan.FromHours(6);

    /// <summary>Blobs used within this time are spared by the sweeps.</summary>
    [Description("Blobs used within this time are never evicted")]
    [Range(typeof(TimeSpan), "00:00:00", "1.00:00:00")]
    public TimeSpan SpareUsedWithin { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How old a file that belongs to nothing must be before it is removed.</summary>
    [Description("How old a file that belongs to nothing must be before it is removed")]
    [Range(typeof(TimeSpan), "00:00:00", "7.00:00:00")]
    public TimeSpan OrphanGrace { get; set; } = TimeSpan.FromMinutes(1);
}
