using Entrepot.Metadata;
using Entrepot.Storage;
using Microsoft.Extensions.Logging;
using StoredObject = Entrepot.Storage.StoredObject;

namespace Entrepot.Janitor.Sweeps;

/// <summary>
/// Removes what a crash left: spools of fetches that are no more, and objects that no row points to. Who is writing is asked before what is
/// referenced: a commit in between is seen as one or the other.
/// </summary>
internal sealed class OrphanSweep(Retention retention, IBlobStore store, JanitorOptions options, JanitorMetrics metrics, TimeProvider time, ILogger<OrphanSweep> log, SpoolFolder? spools = null)
{
    private const int Batch = 500;

    private DateTimeOffset OldEnough => time.GetUtcNow() - options.OrphanGrace;

    /// <summary>Spools, and uploads in parts: few, and each written down.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var oldEnough = OldEnough;
        foreach (var batch in (spools?.List() ?? []).Where(s => s.WrittenAt <= oldEnough).Chunk(Batch))
            await SweepSpoolsAsync([.. batch.Select(s => s.FetchId)], cancellationToken);
        for (var halves = await store.RemoveHalfStoredAsync(options.OrphanGrace, cancellationToken); halves > 0; halves--) Removed("a half-stored object");
    }

    /// <summary>Objects: the whole store is listed.</summary>
    public async Task ListAsync(CancellationToken cancellationToken)
    {
        var oldEnough = OldEnough;
        await foreach (var batch in store.ListAsync(cancellationToken).Where(o => o.WrittenAt <= oldEnough).Chunk(Batch))
            await SweepObjectsAsync(batch, cancellationToken);
    }

    private async Task SweepSpoolsAsync(Guid[] fetchIds, CancellationToken cancellationToken)
    {
        var active = await retention.FindActiveAsync(fetchIds, cancellationToken);
        foreach (var id in fetchIds.Where(id => !active.Contains(id)))
        {
            spools!.Delete(id);
            Removed(id.ToString("N"));
        }
    }

    private async Task SweepObjectsAsync(StoredObject[] objects, CancellationToken cancellationToken)
    {
        var writing = await retention.FindBeingWrittenAsync([.. objects.Select(o => o.Digest.ToString())], cancellationToken);
        var referenced = await retention.FindReferencedAsync([.. objects.Select(NameOf)], cancellationToken);
        foreach (var orphan in objects.Where(o => !writing.Contains(NameOf(o)) && !referenced.Contains(NameOf(o))))
        {
            try
            {
                await store.DeleteAsync(orphan.Digest, orphan.Fence, cancellationToken);
                Removed($"{orphan.Digest} (fence {orphan.Fence})");
            }
            catch (IOException e)
            {
                // The others can perhaps be removed; this one is tried again when the store is listed again.
                log.OrphanStays($"{orphan.Digest} (fence {orphan.Fence})", e.Message);
            }
        }
    }

    private static Metadata.StoredObject NameOf(StoredObject stored) => new(stored.Digest.ToString(), stored.Fence);

    private void Removed(string what)
    {
        metrics.OrphanRemoved();
        log.OrphanRemoved(what);
    }
}
