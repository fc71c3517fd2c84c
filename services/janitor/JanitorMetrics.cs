using System.Diagnostics.Metrics;

namespace Entrepot.Janitor;

/// <summary>What the janitor counts (docs/operations.md).</summary>
internal sealed class JanitorMetrics
{
    private static readonly Meter Meter = new("Entrepot.Janitor");
    private readonly Counter<long> _evictions = Meter.CreateCounter<long>("entrepot_evictions", null, "Blobs evicted");
    private readonly Counter<long> _evictedBytes = Meter.CreateCounter<long>("entrepot_evicted_bytes", null, "Bytes evicted");
    private readonly Counter<long> _orphans = Meter.CreateCounter<long>("entrepot_orphans_removed", null, "Files removed that belonged to nothing");
    private long _storedBytes;

    public JanitorMetrics() => Meter.CreateObservableGauge("entrepot_store_bytes", () => Interlocked.Read(ref _storedBytes), null, "Bytes of blobs in the store");

    public long StoredBytes { set => Interlocked.Exchange(ref _storedBytes, value); }

    public void Evicted(int count, long bytes)
    {
        _evictions.Add(count);
        _evictedBytes.Add(bytes);
    }

    public void OrphanRemoved() => _orphans.Add(1);
}
