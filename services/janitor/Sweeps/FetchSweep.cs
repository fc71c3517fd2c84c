using Entrepot.Metadata;

namespace Entrepot.Janitor.Sweeps;

/// <summary>Deletes the rows of fetches that were settled some minutes ago: until then every waiter can read its outcome.</summary>
internal sealed class FetchSweep(FetchQueue queue)
{
    public Task RunAsync(CancellationToken cancellationToken) => queue.SweepAsync(FetchTimings.KeepFinished, cancellationToken);
}
