using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>Brings all tags of a repository, every page of them, and keeps them sorted by bytes, as a JSON array.</summary>
internal sealed class TagListFetch(UpstreamClient client, FetchQueue queue, HeldList held, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.TagList;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        if (await held.EndIfFreshAsync(fetch, source, upstream, cancellationToken)) return null;
        var tags = await client.GetTagsAsync(upstream, source.Repository, cancellationToken);
        if (!tags.IsSuccess) return tags.Failure;
        var body = JsonSerializer.SerializeToUtf8Bytes(tags.Value.Tags.Order(StringComparer.Ordinal));
        await queue.CommitDocumentAsync(
            fetch.Id, fetch.Fence, new StoredDocument(source.Upstream, source.Repository, Kind, fetch.Claim.Reference, body, "application/json"), cancellationToken);
        return null;
    }, cancellationToken);
}
