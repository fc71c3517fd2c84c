using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>Brings all tags of a repository, every page of them, and keeps them sorted by bytes, as a JSON array.</summary>
internal sealed class TagListFetch(UpstreamClient client, FetchQueue queue, Holdings holdings, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.TagList;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        // Somebody has just asked for it: a request that saw it due a moment ago asks for no second walk.
        if (await holdings.FindDocumentAgeOrNullAsync(source.Upstream, source.Repository, Kind, fetch.Claim.Reference, cancellationToken) < upstream.Tags.TtlOf(Kind))
        {
            await queue.FinishWithoutContentAsync(fetch.Id, fetch.Fence, cancellationToken);
            return null;
        }
        var tags = await client.GetTagsAsync(upstream, source.Repository, cancellationToken);
        if (!tags.IsSuccess) return tags.Failure;
        var body = JsonSerializer.SerializeToUtf8Bytes(tags.Value.Tags.Order(StringComparer.Ordinal));
        await queue.CommitDocumentAsync(
            fetch.Id, fetch.Fence, new StoredDocument(source.Upstream, source.Repository, Kind, fetch.Claim.Reference, body, "application/json"), cancellationToken);
        return null;
    }, cancellationToken);
}
