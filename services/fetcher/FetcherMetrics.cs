using System.Diagnostics.Metrics;
using Entrepot.Contracts;

namespace Entrepot.Fetcher;

/// <summary>What the fetcher counts (docs/operations.md).</summary>
internal sealed class FetcherMetrics
{
    private static readonly Meter Meter = new("Entrepot.Fetcher");
    private readonly Counter<long> _stored = Meter.CreateCounter<long>("entrepot_blobs_stored", null, "Blobs verified and stored");
    private readonly Counter<long> _storedBytes = Meter.CreateCounter<long>("entrepot_blobs_stored_bytes", null, "Bytes of blobs verified and stored");
    private readonly Counter<long> _failures = Meter.CreateCounter<long>("entrepot_fetch_failures", null, "Sources that failed, by outcome");
    private readonly Counter<long> _resumed = Meter.CreateCounter<long>("entrepot_fetch_resumes", null, "Downloads resumed after a broken connection");
    private readonly Counter<long> _passedThrough = Meter.CreateCounter<long>("entrepot_passed_through", null, "Blobs delivered through memory because the disk was full");
    private readonly Counter<long> _notStored = Meter.CreateCounter<long>("entrepot_not_stored", null, "Blobs delivered that the store could not take");
    private readonly Histogram<double> _duration = Meter.CreateHistogram<double>("entrepot_fetch_duration_seconds", "s", "How long fetches took, by kind");

    public void Stored(string upstream, long bytes)
    {
        _stored.Add(1, new KeyValuePair<string, object?>("upstream", upstream));
        _storedBytes.Add(bytes, new KeyValuePair<string, object?>("upstream", upstream));
    }

    public void Failed(string upstream, FetchOutcome outcome) =>
        _failures.Add(1, new KeyValuePair<string, object?>("upstream", upstream), new KeyValuePair<string, object?>("outcome", outcome.ToString()));

    public void Resumed(string upstream) => _resumed.Add(1, new KeyValuePair<string, object?>("upstream", upstream));

    public void PassedThrough() => _passedThrough.Add(1);

    public void NotStored() => _notStored.Add(1);

    public void Fetched(FetchKind kind, TimeSpan elapsed) => _duration.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("kind", kind.ToString()));
}
