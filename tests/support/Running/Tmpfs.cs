using System.Globalization;

namespace Entrepot.TestSupport.Running;

/// <summary>A small file system in memory, for tests of a full disk. Needs root and the right to mount (CAP_SYS_ADMIN).</summary>
public sealed class Tmpfs : IAsyncDisposable
{
    private readonly TempFolder _folder;

    private Tmpfs(TempFolder folder) => _folder = folder;

    /// <summary>Where it is mounted.</summary>
    public string FullPath => _folder.FullPath;

    /// <summary>Bytes still free on it.</summary>
    public long FreeBytes => new DriveInfo(FullPath).AvailableFreeSpace;

    /// <summary>Mounts one.</summary>
    /// <param name="sizeMiB">Its size in MiB.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">It may not be mounted here; the message tells what mount(8) said.</exception>
    public static async Task<Tmpfs> MountAsync(int sizeMiB, CancellationToken cancellationToken = default)
    {
        var folder = new TempFolder("tmpfs");
        var options = string.Create(CultureInfo.InvariantCulture, $"size={sizeMiB}m");
        var mount = await ChildProcess.RunAsync("mount", ["-t", "tmpfs", "-o", options, "entrepot-test", folder.FullPath], cancellationToken: cancellationToken);
        if (mount.ExitCode == 0) return new Tmpfs(folder);
        folder.Dispose();
        throw new InvalidOperationException($"{mount.Command} failed: {mount.Output.Trim()} (root with CAP_SYS_ADMIN is needed)");
    }

    /// <summary>Unmounts it, at once even when a file on it is still open.</summary>
    public async ValueTask DisposeAsync()
    {
        await ChildProcess.RunAsync("umount", ["-l", FullPath]);
        _folder.Dispose();
    }
}
