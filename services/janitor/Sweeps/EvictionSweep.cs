using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Microsoft.Extensions.Logging;

namespace Entrepot.Janitor.Sweeps;

/// <summary>
/// Keeps the store within its bound: what was used least recently goes first, as a blob or through any manifest above it. A blob that is being
/// read, fetched or was used lately is spared. The row goes before the object, so that nobody is sent to bytes that are gone.
/// </summary>
internal sealed class EvictionSweep(Retention retention, IBlobStore store, JanitorOptions options, JanitorMetrics metrics, TimeProvider time, ILogger<EvictionSweep> log) : IRoomMaker, IDisposable
{
    // Down to 90 %, so that a store that is full does not evict at every pull.
    private const double LowWatermark = 0.9;
    private const double MsPerHour = 3_600_000;
    private readonly SemaphoreSlim _one = new(1);

    public void Dispose() => _one.Dispose();

    /// <summary>Brings the store below its bound, if it is above it.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var stored = await retention.StoredBytesAsync(cancellationToken);
        metrics.StoredBytes = stored;
        if (options.MaxStoreBytes == 0 || stored <= options.MaxStoreBytes) return;
        await EvictAsync(stored - (long)(options.MaxStoreBytes * LowWatermark), allOrNothing: false, cancellationToken);
    }

    /// <inheritdoc />
    public Task<long> FreeAsync(long bytes, CancellationToken cancellationToken) => EvictAsync(bytes, allOrNothing: true, cancellationToken);

    private async Task<long> EvictAsync(long bytes, bool allOrNothing, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            var (freed, count) = (0L, 0);
            var candidates = await retention.LeastRecentlyUsedAsync(bytes, options.SpareUsedWithin, cancellationToken);
            if (allOrNothing && candidates.Sum(c => c.Size) < bytes) return 0;
            foreach (var candidate in candidates)
            {
                if (freed >= bytes) break;
                var digest = Digest.Parse(candidate.Digest);
                if (store.IsBeingRead(digest, candidate.Fence)) continue;
                if (!await retention.EvictAsync(candidate, cancellationToken)) continue;
                await store.DeleteAsync(digest, candidate.Fence, cancellationToken);
                log.BlobEvicted(digest, candidate.Size, Math.Round((time.GetUtcNow().ToUnixTimeMilliseconds() - candidate.LastAtMs) / MsPerHour, 2), allOrNothing ? "a download needs room" : "the store is over its bound");
                freed += candidate.Size;
                count++;
            }
            if (count > 0) log.Evicted(count, freed);
            metrics.Evicted(count, freed);
            return freed;
        }
        finally
        {
            _one.Release();
        }
    }
}
