using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Finds out what a tag points to. HEAD first, which costs no pull at Docker Hub; the manifest is asked for by digest, and only when it is not held.
/// The tag is written only when nothing has purged it meanwhile (its epoch), and only after its manifest.
/// </summary>
internal sealed class TagFetch(UpstreamCatalog catalog, ManifestDownload download, FetchQueue queue, Holdings holdings, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.Tag;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        var tag = fetch.Claim.Reference;
        var known = await holdings.FindTagOrNullAsync(source.Upstream, source.Repository, tag, cancellationToken);

        // Somebody has just checked it: a request that saw it due a moment ago asks for no second look.
        if (known is { Digest: not null } && known.Age < upstream.Tags.Of(tag).Ttl)
        {
            await queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken);
            return null;
        }
        var head = await download.HeadAsync(upstream, source.Repository, tag, cancellationToken);
        if (head.Failure is { } failure) return failure;

        if (head.Value.Digest is { } digest)
        {
            var facts = await holdings.FindManifestAsync(source.Upstream, source.Repository, digest.ToString(), cancellationToken);
            if (facts.Held is not null && facts.PossessedBy.Any(u => catalog.Find(u)?.TrustDomain == fetch.Claim.TrustDomain))
            {
                await queue.CommitTagAsync(fetch.Id, fetch.Fence, Update(digest), cancellationToken);
                return null;
            }
            var (byDigest, refused) = await download.GetAsync(upstream, source.Repository, digest.ToString(), cancellationToken);
            if (byDigest is not null)
            {
                await queue.CommitManifestAsync(fetch.Id, fetch.Fence, byDigest, source.Upstream, source.Repository, Update(digest), cancellationToken);
                return null;
            }
            // A HEAD that names a digest its own registry does not have: only the tag itself can tell what is there.
            if (refused!.Outcome is not FetchOutcome.NotFound) return refused;
        }

        var (manifest, unreadable) = await download.GetAsync(upstream, source.Repository, tag, cancellationToken);
        if (manifest is null) return unreadable;
        await queue.CommitManifestAsync(fetch.Id, fetch.Fence, manifest, source.Upstream, source.Repository, Update(Digest.Parse(manifest.Digest, null)), cancellationToken);
        return null;

        TagUpdate Update(Digest to) => new(source.Upstream, source.Repository, tag, to.ToString(), known?.Epoch ?? 0);
    }, cancellationToken);
}
