namespace Entrepot.TestSupport.Upstream;

/// <summary>A fault that is being played; safe to use from several threads.</summary>
public sealed class InjectedFault
{
    private readonly TaskCompletionSource _healed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _left;
    private int _hits;

    internal InjectedFault(Fault fault, string pathContains, int count)
    {
        Fault = fault;
        PathContains = pathContains;
        _left = count;
    }

    /// <summary>What goes wrong.</summary>
    public Fault Fault { get; }

    /// <summary>The part of a path that picks the requests.</summary>
    public string PathContains { get; }

    /// <summary>How often it has been played.</summary>
    public int Hits => Volatile.Read(ref _hits);

    internal Task Healed => _healed.Task;

    /// <summary>Ends the fault: hanging requests go on, later ones are answered well.</summary>
    public void Heal()
    {
        Volatile.Write(ref _left, 0);
        _healed.TrySetResult();
    }

    internal bool Matches(string path) => Volatile.Read(ref _left) > 0 && path.Contains(PathContains, StringComparison.Ordinal);

    internal bool TryUse()
    {
        int left;
        do
        {
            left = Volatile.Read(ref _left);
            if (left <= 0) return false;
        }
        while (Interlocked.CompareExchange(ref _left, left - 1, left) != left);
        Interlocked.Increment(ref _hits);
        return true;
    }
}
