using Entrepot.Api.Pull;
using Entrepot.Contracts;
using MassTransit;

namespace Entrepot.Api.Consumers;

/// <summary>Wakes whoever waits for that fetch here. Idempotent, safe to lose: waiters poll too.</summary>
internal sealed class FetchStartedConsumer(FetchWaits waits) : IConsumer<FetchStarted>
{
    public Task Consume(ConsumeContext<FetchStarted> context) => waits.SignalAsync(context.Message.FetchId, context.CancellationToken);
}
