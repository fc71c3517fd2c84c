namespace Entrepot.TestSupport.Upstream;

/// <summary>The faults of one front. Safe to use from several threads.</summary>
internal sealed class FaultList
{
    private readonly Lock _gate = new();
    private readonly List<InjectedFault> _faults = [];

    public InjectedFault Add(Fault fault, string pathContains, int count)
    {
        var injected = new InjectedFault(fault, pathContains, count);
        lock (_gate) _faults.Add(injected);
        return injected;
    }

    public void HealAll()
    {
        InjectedFault[] all;
        lock (_gate)
        {
            all = [.. _faults];
            _faults.Clear();
        }

        foreach (var fault in all) fault.Heal();
    }

    /// <summary>Takes the first fault that applies and counts it as played; null when there is none.</summary>
    public InjectedFault? Take(string path, Func<Fault, bool> applies)
    {
        InjectedFault[] all;
        lock (_gate) all = [.. _faults];
        return all.FirstOrDefault(fault => fault.Matches(path) && applies(fault.Fault) && fault.TryUse());
    }
}
