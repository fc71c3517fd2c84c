using Entrepot.Hosting;

namespace Entrepot.Cluster;

/// <summary>Without the object store everything is pulled from its upstream again: degraded.</summary>
internal sealed class StorePart(S3BlobStore store) : IReadinessPart
{
    public string Name => "store";

    public bool Required => false;

    public async ValueTask<PartHealth> CheckAsync(CancellationToken cancellationToken)
    {
        await store.CheckAsync(cancellationToken);
        return PartHealth.Ok;
    }
}
