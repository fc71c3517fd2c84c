using Entrepot.Metadata;

namespace Entrepot.Janitor.Sweeps;

/// <summary>Deletes the rows of fetches that were settled 10 minutes ago: until then every waiter can read its outcome.</summary>
internal sealed class FetchSweep(FetchQueue queue)
{
    private static readonly TimeSpan KeepFinished = TimeSpan.FromMinutes(10);

    public Task RunAsync(CancellationToken cancellationToken) => queue.SweepAsync(KeepFinished, cancellationToken);
}
