namespace Entrepot.Storage;

/// <summary>
/// A broadcast: every task taken from <see cref="Next"/> before <see cref="Fire"/> completes with it. Take it, look at the condition,
/// and only then await: a change between the look and the await is then not missed. Thread-safe; costs nothing while nobody waits.
/// </summary>
internal sealed class Pulse
{
    private TaskCompletionSource? _next;

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
}
