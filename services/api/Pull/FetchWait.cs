using Entrepot.Metadata;

namespace Entrepot.Api.Pull;

/// <summary>One fetch as this replica last saw it, shared by all its waiters here. Thread-safe.</summary>
internal sealed class FetchWait(FetchStatus status, FetchWaits owner) : IDisposable
{
    private readonly Lock _lock = new();
    private FetchStatus? _status = status;
    private TaskCompletionSource _changed = New();
    private int _waiters;

    public Guid Id { get; } = status.Id;

    /// <summary>The row as last seen; null when it is no more and how it ended is not known.</summary>
    public FetchStatus? Status => Volatile.Read(ref _status);

    /// <summary>Completes with the next look at the row. Take it before reading <see cref="Status"/>.</summary>
    public Task Changed { get { lock (_lock) return _changed.Task; } }

    /// <summary>Takes in what was seen of the row, unless it is older than what is known: looks at the row and events overtake each other.</summary>
    public void Update(FetchStatus? now)
    {
        TaskCompletionSource fired;
        lock (_lock)
        {
            // What is over stays so, but for the row's own word that there is a later claim: then who said that it was over had lost it.
            // And the row is swept 10 minutes after its end, while a slow client still reads.
            if (_status is { } known && (now is null ? IsOver(known) : now.Fence < known.Fence || (now.Fence == known.Fence && IsOver(known) && !IsOver(now)))) return;
            _status = now;
            (fired, _changed) = (_changed, New());
        }
        fired.SetResult();
    }

    /// <summary>Counts a waiter in; false when the last one has left and this wait is no longer followed.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_waiters < 0) return false;
            _waiters++;
            return true;
        }
    }

    /// <summary>One waiter leaves.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (--_waiters > 0) return;
            _waiters = -1;
        }
        owner.Leave(this);
    }

    private static bool IsOver(FetchStatus status) => status.State is FetchState.Done or FetchState.Failed;

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
