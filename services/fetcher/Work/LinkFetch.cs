using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>Asks whether a repository has a blob, and how large it is there, without its bytes.</summary>
internal sealed class LinkFetch(UpstreamClient client, FetchQueue queue, SmallFetch small) : IFetchWork
{
    public FetchKind Kind => FetchKind.Link;

    public Task RunAsync(RunningFetch fetch, CancellationToken cancellationToken) => small.RunAsync(fetch, async (source, upstream) =>
    {
        var head = await client.HeadBlobAsync(upstream, source.Repository, Digest.Parse(fetch.Claim.Reference, null), cancellationToken);
        if (head.Failure is { } failure) return failure;
        if (head.Value is { } size)
            await queue.RecordAnswerAsync(fetch.Id, fetch.Fence, size, source.Upstream, source.Repository, cancellationToken);
        await queue.CommitLinkAsync(fetch.Id, fetch.Fence, source.Upstream, source.Repository, fetch.Claim.Reference, cancellationToken);
        return null;
    }, cancellationToken);
}
