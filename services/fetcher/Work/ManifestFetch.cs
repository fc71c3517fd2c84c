using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>Brings a manifest by digest. When its bytes are held in this trust domain already, a HEAD that confirms it for this repository is enough.</summary>
internal sealed class ManifestFetch(UpstreamCatalog catalog, ManifestDownload download, FetchQueue queue, Holdings holdings, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.Manifest;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        var facts = await holdings.FindManifestAsync(source.Upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
        if (facts.Held is not null && facts.PossessedBy.Any(u => catalog.Find(u)?.TrustDomain == fetch.Claim.TrustDomain))
        {
            var head = await download.HeadAsync(upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
            if (head.Failure is { } failure) return failure;
            await queue.CommitLinkAsync(fetch.Id, fetch.Fence, source.Upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
            return null;
        }
        var (manifest, refused) = await download.GetAsync(upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
        if (manifest is null) return refused;
        await queue.CommitManifestAsync(fetch.Id, fetch.Fence, manifest, source.Upstream, source.Repository, null, cancellationToken);
        return null;
    }, cancellationToken);
}
