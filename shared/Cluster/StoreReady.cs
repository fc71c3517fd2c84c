using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Cluster;

/// <summary>Makes the bucket as soon as the object store is there: processes and servers may start in any order.</summary>
internal sealed partial class StoreReady(S3BlobStore store, TimeProvider time, ILogger<StoreReady> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (string? said = null; !stoppingToken.IsCancellationRequested;)
        {
            try
            {
                if (await store.EnsureBucketAsync(stoppingToken) is { } reason) NoRule(log, reason);
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                if (e.Message != said) NotYet(log, said = e.Message);
            }
            await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(9103, LogLevel.Warning, "The object store is not there yet, it is tried every second: {Reason}")]
    private static partial void NotYet(ILogger logger, string reason);

    [LoggerMessage(9104, LogLevel.Information, "The object store keeps no rule that ends forgotten uploads: {Reason}. The janitor ends those that it knows of; the others are the store's own to end, as MinIO does after 24 hours")]
    private static partial void NoRule(ILogger logger, string reason);
}
