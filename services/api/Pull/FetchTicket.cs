using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;

namespace Entrepot.Api.Pull;

/// <summary>One request's hold on a fetch: bound to the row's id, it gets that row's outcome for its own source.</summary>
internal sealed class FetchTicket(FetchWait wait, string upstream, string repository, bool inserted) : IDisposable
{
    /// <summary>Whether this request started the fetch, rather than joined it.</summary>
    public bool Inserted { get; } = inserted;

    /// <summary>What an answer made of it is.</summary>
    public CacheState Cache => Inserted ? CacheState.Miss : CacheState.Coalesced;

    public string Upstream { get; } = upstream;

    public string Repository { get; } = repository;

    /// <summary>The row as last seen; null when it is no more.</summary>
    public FetchStatus? Status => wait.Status;

    /// <summary>Completes with the next look at the row. Take it before reading <see cref="Status"/>.</summary>
    public Task Changed => wait.Changed;

    /// <summary>A fetcher is at it: what it waits for is the upstream.</summary>
    public bool IsRunning => Status is { State: FetchState.Running };

    public bool IsDone => Status is { State: FetchState.Done };

    /// <summary>Why this waiter gets nothing, once that is settled: its own source failed, or the whole fetch.</summary>
    public FetchFailure? Failure()
    {
        var status = Status;
        if (status is null) return new FetchFailure(FetchOutcome.Unavailable, "the fetch was given up", null, Cache);
        if (status.State == FetchState.Done) return null;
        var own = status.Sources.FirstOrDefault(s => s.Upstream == Upstream && s.Repository == Repository);
        // What its own upstream said of it settles a waiter; an outage of its own does not while another source may still deliver.
        if (own is { Outcome: FetchOutcome.NotFound or FetchOutcome.Denied or FetchOutcome.Corrupt or FetchOutcome.TooLarge }) return FetchFailure.Of(own, Cache);
        if (status.State == FetchState.Failed && own is { Outcome: not null }) return FetchFailure.Of(own, Cache);
        return status.State == FetchState.Failed ? new FetchFailure(status.Outcome ?? FetchOutcome.Unavailable, status.Message ?? "the fetch failed", null, Cache) : null;
    }

    /// <summary>Waits until the fetch is settled for this waiter.</summary>
    /// <returns>False when <paramref name="atMost"/> was over first.</returns>
    public async Task<bool> WaitUntilSettledAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(atMost);
        while (true)
        {
            var changed = Changed;
            if (IsDone || Failure() is not null) return true;
            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return false;
            }
        }
    }

    public void Dispose() => wait.Dispose();
}
