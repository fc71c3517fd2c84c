using Entrepot.Api.Index;
using Entrepot.Api.Pull;
using Entrepot.Contracts;
using MassTransit;

namespace Entrepot.Api.Consumers;

/// <summary>Wakes whoever waits for that fetch here, and corrects the index of every replica. Idempotent, safe to lose.</summary>
internal sealed class FetchFinishedConsumer(FetchWaits waits, ContentIndex index) : IConsumer<FetchFinished>
{
    public Task Consume(ConsumeContext<FetchFinished> context)
    {
        var fetch = context.Message;
        if (fetch.Kind == nameof(FetchKind.Tag) && fetch.Outcome == nameof(FetchOutcome.Stored))
            index.ForgetTag(new ContentKey(fetch.Upstream, fetch.Repository, fetch.Reference));
        return waits.SignalAsync(fetch.FetchId, context.CancellationToken);
    }
}
