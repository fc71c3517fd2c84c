using System.Collections.Concurrent;
using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Oci;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Api.Access;

/// <summary>Counts what is served, in memory, and says it on the bus every few seconds. Costs a request one dictionary update; losing a batch is harmless.</summary>
internal sealed class AccessRecorder(Outbox outbox, TimeProvider time) : BackgroundService
{
    private const int BatchSize = 500;
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);
    private readonly ConcurrentQueue<AccessCount> _counts = new();
    private ConcurrentDictionary<Digest, (long Count, DateTimeOffset LastAt)> _seen = new();

    /// <summary>Notes that a digest was served now.</summary>
    public void Record(Digest digest, long times = 1)
    {
        _seen.AddOrUpdate(
            digest, static (_, now) => (now.Times, now.At), static (_, seen, now) => (seen.Count + now.Times, now.At), (Times: times, At: time.GetUtcNow()));
    }

    /// <summary>Notes that a digest was served now, at the price of one increment.</summary>
    public void Record(AccessCount count)
    {
        if (count.Increment()) _counts.Enqueue(count);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Flush();
        }
        catch (OperationCanceledException)
        {
            Flush();
        }
    }

    private void Flush()
    {
        while (_counts.TryDequeue(out var count)) Record(count.Digest, count.Take());
        if (_seen.IsEmpty) return;
        var seen = Interlocked.Exchange(ref _seen, new());
        foreach (var batch in seen.Chunk(BatchSize))
            outbox.Publish(new ContentAccessed
            {
                Accesses = [.. batch.Select(s => new ContentAccess { Digest = s.Key.ToString(), Count = s.Value.Count, LastAt = s.Value.LastAt })],
            });
    }
}
