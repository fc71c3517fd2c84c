using System.Globalization;

namespace Entrepot.TestSupport.Running;

/// <summary>
/// One process, and none that has got its number since: numbers come again, so the time of its start counts too. Source: proc(5), <c>/proc/PID/stat</c>.
/// </summary>
/// <param name="Id">The process id.</param>
/// <param name="Started">When it was started, in ticks since the machine was.</param>
internal readonly record struct ProcessIdentity(int Id, long Started)
{
    /// <summary>The process that has this number now; null when none has.</summary>
    public static ProcessIdentity? OfOrNull(int id) => StatOrNull(id) is { } stat ? new ProcessIdentity(id, stat.Started) : null;

    /// <summary>Whether it runs, or is paused. One that has ended does not, though its parent may not have noticed yet.</summary>
    public bool Runs => StatOrNull(Id) is { } stat && stat.Started == Started && stat.State is not ('Z' or 'X');

    /// <summary>It and all processes below it; empty when it does not run.</summary>
    public IReadOnlyList<ProcessIdentity> Tree() => Runs ? [this, .. Posix.ChildrenOf(Id).Select(OfOrNull).OfType<ProcessIdentity>().SelectMany(child => child.Tree())] : [];

    /// <summary>Sends a signal to it; does nothing when it does not run.</summary>
    public void Signal(int signal)
    {
        if (Runs) Posix.Signal(Id, signal);
    }

    /// <summary><c>ID:STARTED</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Id}:{Started}");

    private static (char State, long Started)? StatOrNull(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            // Behind the name, which may hold anything, the state is the third field and the start the twenty-second.
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], long.Parse(fields[22 - 3], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }
}
