using System.Globalization;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Running;

/// <summary>The folder <c>bench/.work</c>, which git ignores: images are kept there from run to run, everything else is made anew. One run at a time.</summary>
internal sealed class WorkFolder : IDisposable
{
    private readonly FileStream _lock;
    private int _count;

    private WorkFolder(string root, FileStream @lock)
    {
        Root = root;
        _lock = @lock;
    }

    /// <summary>Its absolute path.</summary>
    public string Root { get; }

    /// <summary>The upstream's files; kept.</summary>
    public string Images => Path.Combine(Root, "images");

    /// <summary>What <c>dotnet publish</c> made of Entrepot.</summary>
    public string Entrepot => Path.Combine(Root, "entrepot");

    private string Run => Path.Combine(Root, "run");

    /// <summary>Opens it and removes what an earlier run left behind.</summary>
    /// <exception cref="BenchException">Another run uses it.</exception>
    public static WorkFolder Open()
    {
        var root = Directory.CreateDirectory(Path.Combine(Checkout.Root, "bench", ".work")).FullName;
        FileStream held;
        try
        {
            held = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new BenchException("another run of bench/run.sh is under way in this checkout");
        }

        var folder = new WorkFolder(root, held);
        folder.Clear();
        return folder;
    }

    /// <summary>A new, empty folder that the end of the run removes.</summary>
    /// <param name="name">A word that tells it apart in a listing.</param>
    public string New(string name) =>
        Directory.CreateDirectory(Path.Combine(Run, string.Create(CultureInfo.InvariantCulture, $"{name}-{Interlocked.Increment(ref _count)}"))).FullName;

    /// <inheritdoc/>
    public void Dispose()
    {
        Clear();
        _lock.Dispose();
    }

    private void Clear()
    {
        if (Directory.Exists(Run)) Directory.Delete(Run, recursive: true);
    }
}
