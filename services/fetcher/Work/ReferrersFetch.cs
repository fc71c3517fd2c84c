using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Brings the referrers of a digest: from the upstream's API, else from its fallback tag, else none. Every descriptor is kept as its author wrote it.
/// Source: OCI distribution-spec v1.1, Listing Referrers, and Unavailable Referrers API.
/// </summary>
internal sealed class ReferrersFetch(UpstreamClient client, FetchQueue queue, Holdings holdings, HeldList held, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.Referrers;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        if (await held.EndIfFreshAsync(fetch, source, upstream, cancellationToken)) return null;
        var digest = Digest.Parse(fetch.Claim.Reference);
        var api = await client.GetReferrersAsync(upstream, source.Repository, digest, cancellationToken);
        if (api.IsSuccess) return await KeepAsync(api.Value.Referrers);
        if (api.Failure.Outcome != FetchOutcome.NotFound) return api.Failure;

        var tag = ReferrersTag.Of(digest);
        var fallback = await client.GetManifestAsync(upstream, source.Repository, tag, cancellationToken);
        if (!fallback.IsSuccess) return fallback.Failure.Outcome == FetchOutcome.NotFound ? await KeepAsync([]) : fallback.Failure;
        try
        {
            // An image that happens to have that tag lists nothing.
            var isIndex = ManifestReader.Read(fallback.Value.Bytes, fallback.Value.MediaType).IsIndex;
            return await KeepAsync(isIndex && ReferrersIndex.TryRead(fallback.Value.Bytes, out var listed) ? listed : []);
        }
        catch (InvalidManifestException error)
        {
            return new UpstreamFailure(FetchOutcome.Corrupt, $"{upstream.Name}/{source.Repository}:{tag} is no manifest: {error.Message}");
        }

        async Task<UpstreamFailure?> KeepAsync(IReadOnlyList<Referrer> referrers)
        {
            // "None" is kept of what this repository holds, to outlive an outage. Of any other digest, and clients can think of many, it is only remembered.
            if (referrers.Count == 0 && (await holdings.FindManifestAsync(source.Upstream, source.Repository, digest.ToString(), cancellationToken)).Rights == Rights.None)
                return new UpstreamFailure(FetchOutcome.NotFound, $"nothing refers to {source.Repository}@{digest}", upstream.Options.SignatureTagTtl);
            var index = ReferrersIndex.Write(referrers);
            await queue.CommitDocumentAsync(
                fetch.Id, fetch.Fence, new StoredDocument(source.Upstream, source.Repository, Kind, fetch.Claim.Reference, index, MediaTypes.OciIndex), cancellationToken);
            return null;
        }
    }, cancellationToken);
}
