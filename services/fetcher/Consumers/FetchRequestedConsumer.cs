using Entrepot.Contracts;
using Entrepot.Fetcher.Work;
using MassTransit;

namespace Entrepot.Fetcher.Consumers;

/// <summary>Rings the doorbell and is done: acknowledged in milliseconds, safe to repeat, safe to lose.</summary>
internal sealed class FetchRequestedConsumer(Doorbell doorbell) : IConsumer<FetchRequested>
{
    public Task Consume(ConsumeContext<FetchRequested> context)
    {
        doorbell.Ring();
        return Task.CompletedTask;
    }
}
