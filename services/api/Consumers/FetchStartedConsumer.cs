using Entrepot.Api.Pull;
using Entrepot.Contracts;
using MassTransit;

namespace Entrepot.Api.Consumers;

/// <summary>Tells whoever waits for that fetch here whom to read from. Idempotent, safe to lose: waiters poll too.</summary>
internal sealed class FetchStartedConsumer(FetchWaits waits) : IConsumer<FetchStarted>
{
    public Task Consume(ConsumeContext<FetchStarted> context)
    {
        var fetch = context.Message;
        waits.Started(fetch.FetchId, fetch.Fence, fetch.Address);
        return Task.CompletedTask;
    }
}
