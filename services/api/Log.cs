using Entrepot.Contracts;
using Entrepot.Oci;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api;

/// <summary>All log messages of the api; ids 1000–1999.</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 1000, Message = "{Method} {Path} answered {Status} {Cache} in {ElapsedMs} ms, {Bytes} bytes to {Client}")]
    public static partial void Pulled(this ILogger log, LogLevel level, string method, string path, int status, string cache, long elapsedMs, long bytes, string client);

    [LoggerMessage(1001, LogLevel.Warning, "Tag {Upstream}/{Repository}:{Tag} served stale: {Problem}")]
    public static partial void ServedStale(this ILogger log, string upstream, string repository, string tag, string problem);

    [LoggerMessage(1002, LogLevel.Warning, "A body of {Repository} ended short at byte {Offset} of {End}: {Why}")]
    public static partial void EndedShort(this ILogger log, string repository, long offset, long end, string why);

    [LoggerMessage(1003, LogLevel.Warning, "The object of {Digest} (fence {Fence}) has vanished or is damaged; it will be fetched again")]
    public static partial void ObjectVanished(this ILogger log, Digest digest, long fence);

    [LoggerMessage(1015, LogLevel.Warning, "{Digest} is held, but could not be opened: {Problem}")]
    public static partial void StoreUnavailable(this ILogger log, Digest digest, string problem);

    [LoggerMessage(1004, LogLevel.Warning, "{Count} fetches could not be looked at: {Problem}")]
    public static partial void PollFailed(this ILogger log, int count, string problem);

    [LoggerMessage(1005, LogLevel.Debug, "An index entry could not be refreshed: {Problem}")]
    public static partial void RefreshFailed(this ILogger log, string problem);

    [LoggerMessage(1006, LogLevel.Warning, "Layers beside {Digest} could not be prefetched: {Problem}")]
    public static partial void PrefetchFailed(this ILogger log, string digest, string problem);

    [LoggerMessage(1009, LogLevel.Warning, "The fetch queue could not be measured: {Problem}")]
    public static partial void QueueNotMeasured(this ILogger log, string problem);

    [LoggerMessage(1010, LogLevel.Warning, "{Kind} of {Upstream}/{Repository} served stale: {Problem}")]
    public static partial void ListServedStale(this ILogger log, FetchKind kind, string upstream, string repository, string problem);

    [LoggerMessage(1011, LogLevel.Warning, "The check of tag {Upstream}/{Repository}:{Tag} behind its answer broke")]
    public static partial void CheckBroke(this ILogger log, string upstream, string repository, string tag, Exception error);

    [LoggerMessage(1012, LogLevel.Warning, "Upstream {Upstream} does not answer: what is held of it is served without waiting, until it does")]
    public static partial void UpstreamIsSilent(this ILogger log, string upstream);

    [LoggerMessage(1013, LogLevel.Information, "Upstream {Upstream} answers again")]
    public static partial void UpstreamAnswers(this ILogger log, string upstream);

    [LoggerMessage(1014, LogLevel.Warning, "Upstream {Upstream} could not be asked whether it answers again: {Problem}")]
    public static partial void NotAsked(this ILogger log, string upstream, string problem);

    [LoggerMessage(1016, LogLevel.Warning, "{Warning}")]
    public static partial void UpstreamExposed(this ILogger log, string warning);

    [LoggerMessage(1017, LogLevel.Warning, "Fetcher {Owner} could not be read from: {Problem}")]
    public static partial void FetcherUnreadable(this ILogger log, string owner, string problem);

    [LoggerMessage(1007, LogLevel.Warning, "{Method} {Path} could not be answered: {Problem}")]
    public static partial void Unanswered(this ILogger log, string method, string path, string problem);

    [LoggerMessage(1008, LogLevel.Error, "{Method} {Path} broke")]
    public static partial void Broke(this ILogger log, string method, string path, Exception error);
}
