using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Entrepot.Storage;

/// <summary>What .NET does not offer for surviving a power cut: syncing a directory, and starting write-back without waiting for it.</summary>
internal static partial class Durable
{
    private const int NoSpace = 28, QuotaExceeded = 122, FileTooBig = 27, SyncFileRangeWrite = 2;

    /// <summary>Whether an error says that the disk, or our share of it, is full (ENOSPC, EDQUOT, EFBIG).</summary>
    public static bool IsFull(IOException error) => (error.HResult & 0xFFFF) is NoSpace or QuotaExceeded or FileTooBig or 112 /* ERROR_DISK_FULL */;

    /// <summary>Makes renames and new names in a directory durable. A directory has no handle in .NET, hence the system call.</summary>
    public static void SyncDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        var fd = Open(path, 0);
        if (fd < 0) return;
        _ = Fsync(fd);
        _ = Close(fd);
    }

    /// <summary>Starts writing a range of dirty pages to disk and returns at once, so that the sync at the end has little left to do.</summary>
    public static void StartWriteBack(SafeFileHandle file, long offset, long count)
    {
        if (OperatingSystem.IsLinux()) _ = SyncFileRange(file, offset, count, SyncFileRangeWrite);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Fsync(int fd);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "sync_file_range")]
    private static partial int SyncFileRange(SafeFileHandle fd, long offset, long count, uint flags);
}
