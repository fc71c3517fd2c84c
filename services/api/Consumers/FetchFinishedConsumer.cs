using Entrepot.Api.Index;
using Entrepot.Api.Pull;
using Entrepot.Contracts;
using MassTransit;

namespace Entrepot.Api.Consumers;

/// <summary>Wakes whoever waits for that fetch here, corrects the index of every replica, and tells that an upstream answers. Idempotent, safe to lose.</summary>
internal sealed class FetchFinishedConsumer(FetchWaits waits, ContentIndex index, SilentUpstreams silent) : IConsumer<FetchFinished>
{
    public Task Consume(ConsumeContext<FetchFinished> context)
    {
        var fetch = context.Message;
        if (fetch.Kind == nameof(FetchKind.Tag) && fetch.Outcome == nameof(FetchOutcome.Stored))
            index.ForgetTag(new ContentKey(fetch.Upstream, fetch.Repository, fetch.Reference));
        if (fetch.Outcome != nameof(FetchOutcome.Unavailable)) silent.Remove(fetch.Upstream);
        return waits.SignalAsync(fetch.FetchId, context.CancellationToken);
    }
}
