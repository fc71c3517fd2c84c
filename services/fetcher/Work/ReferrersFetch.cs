using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Brings the referrers of a digest: from the upstream's API, else from its fallback tag, else none. Source: OCI distribution-spec v1.1,
/// Listing referrers, and Referrers tag schema (algorithm cut to 32 characters, encoded part to 64).
/// </summary>
internal sealed class ReferrersFetch(UpstreamClient client, FetchQueue queue, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.Referrers;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        var digest = Digest.Parse(fetch.Claim.Reference);
        var api = await client.GetReferrersAsync(upstream, source.Repository, digest, cancellationToken);
        if (api.IsSuccess) return await KeepAsync(api.Value.Bytes);
        if (api.Failure.Status is not (404 or 400 or 405 or 406 or 501)) return api.Failure;

        var tag = $"{digest.Algorithm[..Math.Min(32, digest.Algorithm.Length)]}-{digest.Hex[..64]}";
        var fallback = await client.GetManifestAsync(upstream, source.Repository, tag, cancellationToken);
        if (fallback.IsSuccess) return await KeepAsync(fallback.Value.Bytes);
        return fallback.Failure.Outcome == FetchOutcome.NotFound ? await KeepAsync("""{"schemaVersion":2,"manifests":[]}"""u8.ToArray()) : fallback.Failure;

        async Task<UpstreamFailure?> KeepAsync(ReadOnlyMemory<byte> index)
        {
            await queue.CommitDocumentAsync(
                fetch.Id, fetch.Fence, new StoredDocument(source.Upstream, source.Repository, Kind, fetch.Claim.Reference, index.ToArray(), MediaTypes.OciIndex), cancellationToken);
            return null;
        }
    }, cancellationToken);
}
