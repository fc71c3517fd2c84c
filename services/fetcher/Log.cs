using Entrepot.Contracts;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher;

/// <summary>All log messages of the fetcher; ids 2000–2999.</summary>
internal static partial class Log
{
    [LoggerMessage(2000, LogLevel.Information, "Blob {Digest} stored: {SizeBytes} bytes from {Upstream}/{Repository}")]
    public static partial void BlobStored(this ILogger log, Digest digest, long sizeBytes, string upstream, string repository);

    [LoggerMessage(2001, LogLevel.Warning, "Fetch of {Reference} from {Upstream}/{Repository} failed: {Outcome}: {Problem}")]
    public static partial void SourceFailed(this ILogger log, string reference, string upstream, string repository, FetchOutcome outcome, string problem);

    [LoggerMessage(2002, LogLevel.Information, "Resuming {Digest} at byte {Offset}: {Problem}")]
    public static partial void Resuming(this ILogger log, Digest digest, long offset, string problem);

    [LoggerMessage(2003, LogLevel.Warning, "Blob {Digest} ({SizeBytes} bytes from {Upstream}) went to its waiters through memory and was not stored: the disk had no room")]
    public static partial void PassedThrough(this ILogger log, Digest digest, long sizeBytes, string upstream);

    [LoggerMessage(2004, LogLevel.Warning, "Blob {Digest} was delivered and not stored: {Problem}")]
    public static partial void NotStored(this ILogger log, Digest digest, string problem);

    [LoggerMessage(2005, LogLevel.Warning, "No room for {Digest}: {SizeBytes} bytes, {LackingBytes} too many; passing it through memory")]
    public static partial void NoRoom(this ILogger log, Digest digest, long sizeBytes, long lackingBytes);

    [LoggerMessage(2006, LogLevel.Warning, "The disk is full while spooling {Digest}: {Problem}; going on through memory")]
    public static partial void DiskFull(this ILogger log, Digest digest, string problem);

    [LoggerMessage(2007, LogLevel.Warning, "Fetch {FetchId} of {Reference} belongs to another owner now")]
    public static partial void LeaseLost(this ILogger log, Guid fetchId, string reference);

    [LoggerMessage(2008, LogLevel.Information, "Fetch of {Reference} given up after {ProgressBytes} bytes: nobody waits for it")]
    public static partial void FetchAbandoned(this ILogger log, string reference, long progressBytes);

    [LoggerMessage(2009, LogLevel.Warning, "{Count} leases could not be renewed: {Problem}")]
    public static partial void LeasesNotRenewed(this ILogger log, int count, string problem);

    [LoggerMessage(2010, LogLevel.Warning, "The fetch queue could not be used: {Problem}")]
    public static partial void ClaimFailed(this ILogger log, string problem);

    [LoggerMessage(2011, LogLevel.Error, "Fetch of {Kind} {Reference} broke")]
    public static partial void FetchBroke(this ILogger log, FetchKind kind, string reference, Exception error);

    [LoggerMessage(2013, LogLevel.Warning, "Fetch of {Kind} {Reference} failed here: {Problem}")]
    public static partial void FetchFailed(this ILogger log, FetchKind kind, string reference, string problem);

    [LoggerMessage(2012, LogLevel.Warning, "A commit waits for the database: {Problem}")]
    public static partial void CommitWaits(this ILogger log, string problem);

    [LoggerMessage(2014, LogLevel.Warning, "{Digest} waits in its spool for the store: {Problem}")]
    public static partial void StoreWaits(this ILogger log, Oci.Digest digest, string problem);

    [LoggerMessage(2015, LogLevel.Warning, "{Upstream} limits us: {Reference} of {Repository} refused, Retry-After {RetryAfterSeconds} s")]
    public static partial void Limited(this ILogger log, string upstream, string reference, string repository, double retryAfterSeconds);

    [LoggerMessage(2016, LogLevel.Warning, "The upstream's answer for {Digest} could not be written down; the download goes on: {Problem}")]
    public static partial void AnswerNotRecorded(this ILogger log, Digest digest, string problem);

    [LoggerMessage(2017, LogLevel.Warning, "The object of {Digest} that is not needed was not deleted, the janitor will find it: {Problem}")]
    public static partial void NotDeleted(this ILogger log, Digest digest, string problem);

    [LoggerMessage(2020, LogLevel.Warning, "A reader at {Client} was refused: it shows another Internal:Token than ours")]
    public static partial void ReaderRefused(this ILogger log, System.Net.IPAddress? client);

    /// <summary>Says so when it was the upstream's rate limit, beside what else is said of the failure; 0 s when it named no time.</summary>
    public static void IfLimited(this ILogger log, string reference, string upstream, string repository, UpstreamFailure failure)
    {
        if (failure.Outcome == FetchOutcome.RateLimited) log.Limited(upstream, reference, repository, failure.RetryAfter?.TotalSeconds ?? 0);
    }
}
