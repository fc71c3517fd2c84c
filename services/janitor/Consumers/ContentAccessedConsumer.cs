using Entrepot.Contracts;
using Entrepot.Metadata;
using MassTransit;

namespace Entrepot.Janitor.Consumers;

/// <summary>Writes down what was used. A manifest's access counts for its closure. Repeating a batch only counts too much; losing one is harmless.</summary>
internal sealed class ContentAccessedConsumer(AccessStore accesses) : IConsumer<ContentAccessed>
{
    public Task Consume(ConsumeContext<ContentAccessed> context) =>
        accesses.RecordAsync([.. context.Message.Accesses.Select(a => new AccessRecord(a.Digest, a.Count, a.LastAt.ToUnixTimeMilliseconds()))], context.CancellationToken);
}
