using System.Diagnostics;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Upstreams;

namespace Entrepot.Api.Pull;

/// <summary>How a miss becomes a fetch: joins the row that is there or inserts one, and rings the doorbell. The api itself never speaks to an upstream.</summary>
internal sealed class FetchGate(FetchQueue queue, FetchWaits waits, Outbox outbox)
{
    /// <summary>Joins or starts a fetch.</summary>
    /// <returns>A ticket to dispose; or the outcome recorded for this source moments ago, which stands until its retry window is over.</returns>
    /// <exception cref="DatabaseUnavailableException">The row can't be written: a miss can't be served.</exception>
    public async Task<(FetchTicket? Ticket, FetchFailure? Refused)> JoinAsync(
        FetchKind kind, Upstream upstream, string repository, string reference, long? expectedSize, bool prefetch, CancellationToken cancellationToken)
    {
        var join = await queue.JoinAsync(new FetchRequest
        {
            Kind = kind,
            Upstream = upstream.Name,
            Repository = repository,
            Reference = reference,
            TrustDomain = upstream.TrustDomain,
            Prefetch = prefetch,
            ExpectedSize = expectedSize,
            TraceParent = Activity.Current is { Recorded: true } pull ? pull.Id : null,
        }, cancellationToken);
        if (join.Refused is { } refused) return (null, FetchFailure.Of(refused, CacheState.Hit));
        PullTrace.Joined(join.Status.Id);
        var ticket = new FetchTicket(waits.Follow(join.Status), upstream.Name, repository, join.Inserted);
        if (join.Inserted)
        {
            outbox.Publish(new FetchRequested { FetchId = join.Status.Id, Kind = kind.ToString() });
            return (ticket, null);
        }
        try
        {
            // It may have been settled before we followed it.
            await waits.SignalAsync(join.Status.Id, cancellationToken);
            return (ticket, null);
        }
        catch
        {
            ticket.Dispose();
            throw;
        }
    }
}
