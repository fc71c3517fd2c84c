using Entrepot.Api.Index;
using Entrepot.Api.Pull;
using Entrepot.Contracts;
using MassTransit;

namespace Entrepot.Api.Consumers;

/// <summary>Wakes whoever waits for that fetch here, corrects the index of every replica, and tells that an upstream answers. Idempotent, safe to lose.</summary>
internal sealed class FetchFinishedConsumer(FetchWaits waits, ContentIndex index, DocumentIndex documents, SilentUpstreams silent) : IConsumer<FetchFinished>
{
    public Task Consume(ConsumeContext<FetchFinished> context)
    {
        var fetch = context.Message;
        var key = new ContentKey(fetch.Upstream, fetch.Repository, fetch.Reference);
        if (fetch.Outcome == nameof(FetchOutcome.Stored))
        {
            if (fetch.Kind == nameof(FetchKind.Tag)) index.ForgetTag(key);
            else if (Enum.TryParse<FetchKind>(fetch.Kind, out var kind) && kind is FetchKind.TagList or FetchKind.Referrers) documents.Forget(new DocumentKey(key, kind));
        }
        if (fetch.Outcome != nameof(FetchOutcome.Unavailable)) silent.Remove(fetch.Upstream);
        // Of other kinds the row has the answer.
        if (fetch is { Outcome: nameof(FetchOutcome.Stored), Kind: nameof(FetchKind.Blob) })
        {
            waits.Stored(fetch.FetchId, fetch.Fence);
            return Task.CompletedTask;
        }
        return waits.SignalAsync(fetch.FetchId, context.CancellationToken);
    }
}
