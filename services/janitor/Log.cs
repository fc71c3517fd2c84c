using Entrepot.Oci;
using Microsoft.Extensions.Logging;

namespace Entrepot.Janitor;

/// <summary>All log messages of the janitor; ids 3000–3999.</summary>
internal static partial class Log
{
    [LoggerMessage(3000, LogLevel.Information, "Evicted {Count} blobs, {FreedBytes} bytes")]
    public static partial void Evicted(this ILogger log, int count, long freedBytes);

    [LoggerMessage(3001, LogLevel.Information, "Removed {File}: it belonged to nothing")]
    public static partial void OrphanRemoved(this ILogger log, string file);

    [LoggerMessage(3002, LogLevel.Warning, "A sweep failed and will be tried again: {Problem}")]
    public static partial void SweepFailed(this ILogger log, string problem);

    [LoggerMessage(3004, LogLevel.Warning, "{File} belongs to nothing and could not be removed: {Problem}")]
    public static partial void OrphanStays(this ILogger log, string file, string problem);

    [LoggerMessage(3003, LogLevel.Information, "Blob {Digest} evicted: {SizeBytes} bytes, unused for {UnusedHours} h; {Reason}")]
    public static partial void BlobEvicted(this ILogger log, Digest digest, long sizeBytes, double unusedHours, string reason);
}
