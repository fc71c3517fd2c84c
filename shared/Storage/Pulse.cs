using System.Diagnostics;

namespace Entrepot.Storage;

/// <summary>
/// A broadcast: every task taken from <see cref="Next"/> before <see cref="Fire"/> completes with it. Take it, look at the condition,
/// and only then await: a change between the look and the await is then not missed. Thread-safe; costs nothing while nobody waits.
/// </summary>
internal sealed class Pulse
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(4);
    private TaskCompletionSource? _next;
    private Timer? _later;
    private long _firedAt;
    private int _armed;

    public Task Next
    {
        get
        {
            var current = Volatile.Read(ref _next);
            if (current is not null) return current.Task;
            var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return (Interlocked.CompareExchange(ref _next, mine, null) ?? mine).Task;
        }
    }

    public void Fire() => Interlocked.Exchange(ref _next, null)?.SetResult();

    /// <summary>Fires now, or a few milliseconds after the last time: for what happens so often that waking everybody each time would cost more than the work itself.</summary>
    public void FireSoon()
    {
        // What was changed before must be seen by whoever takes Next after this has found nobody.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _next) is null) return;
        if (Stopwatch.GetElapsedTime(Volatile.Read(ref _firedAt)) >= Between)
        {
            Volatile.Write(ref _firedAt, Stopwatch.GetTimestamp());
            Fire();
        }
        else if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            LazyInitializer.EnsureInitialized(ref _later, () => new Timer(static pulse => ((Pulse)pulse!).FireLater(), this, Timeout.Infinite, Timeout.Infinite));
            _later.Change(Between, Timeout.InfiniteTimeSpan);
        }
    }

    private void FireLater()
    {
        Volatile.Write(ref _armed, 0);
        Volatile.Write(ref _firedAt, Stopwatch.GetTimestamp());
        Fire();
    }
}
