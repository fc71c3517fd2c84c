namespace Entrepot.Hosting;

/// <summary>The folder that holds everything a process keeps, used by one process at a time: the lock is the operating system's and goes with the process.</summary>
public sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held) => (FullPath, _lock) = (path, held);

    /// <summary>Its absolute path.</summary>
    public string FullPath { get; }

    /// <summary>The absolute path of something in it.</summary>
    public string PathOf(string name) => Path.Combine(FullPath, name);

    /// <summary>Opens the folder, making it when absent; or says why it can't be used.</summary>
    public static DataFolder? TryOpen(string path, out ConfigError? error)
    {
        var full = Path.GetFullPath(path);
        error = null;
        try
        {
            Directory.CreateDirectory(full);
            return new DataFolder(full, new FileStream(Path.Combine(full, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (Directory.Exists(full))
        {
            error = new ConfigError("DataDirectory", full, $"is in use by another process ({e.Message})", "stop the other Entrepot, or give this one a folder of its own");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error = new ConfigError("DataDirectory", full, $"can't be written ({e.Message})", "name a folder that this user may write");
        }
        return null;
    }

    /// <inheritdoc/>
    public void Dispose() => _lock.Dispose();
}
