namespace Entrepot.TestSupport.Running;

/// <summary>A folder of its own under TMPDIR, removed when disposed; one that is not is removed when the test run ends.</summary>
public sealed class TempFolder : IDisposable
{
    private static readonly Lazy<string> RunFolder = new(MakeRunFolder);
    private static int _count;

    /// <summary>Makes the folder.</summary>
    /// <param name="name">A word that tells it apart in a listing. Kept short: Unix sockets lie in such folders (108 bytes at most).</param>
    public TempFolder(string name = "t") =>
        Directory.CreateDirectory(FullPath = Path.Combine(RunFolder.Value, $"{name}{Interlocked.Increment(ref _count)}"));

    /// <summary>The folder's absolute path.</summary>
    public string FullPath { get; }

    /// <summary>The absolute path of something inside the folder; it is not created.</summary>
    public string File(string name) => Path.Combine(FullPath, name);

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (Directory.Exists(FullPath)) Directory.Delete(FullPath, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A daemon may still be letting go of a file: the end of the run removes the rest.
        }
    }

    private static string MakeRunFolder()
    {
        var folder = Directory.CreateTempSubdirectory("et-");
        // Servers that refuse root walk through it to what is theirs.
        if (!OperatingSystem.IsWindows()) folder.UnixFileMode |= UnixFileMode.OtherExecute;
        Guardian.RemoveAtEnd(folder.FullName);
        return folder.FullName;
    }
}
