using System.ComponentModel;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Entrepot.TestSupport.Running;

/// <summary>What of Linux .NET has no word for.</summary>
internal static class Posix
{
    public const int SigHup = 1;
    public const int SigKill = 9;
    public const int SigTerm = 15;
    public const int SigCont = 18;
    public const int SigStop = 19;
    private const nuint TiocOutQ = 0x5411;

    /// <summary>Sends a signal to one process; a process that is gone already is no error.</summary>
    public static void Signal(int processId, int signal)
    {
        const int noSuchProcess = 3;
        if (Kill(processId, signal) != 0 && Marshal.GetLastPInvokeError() is var error && error != noSuchProcess)
        {
            throw new Win32Exception(error, $"kill({processId}, {signal}): {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <summary>The processes that a process has started, whichever of its threads did, and that are not gone yet; none of one that is gone itself.</summary>
    public static IReadOnlyList<int> ChildrenOf(int processId)
    {
        return [.. OrNone(() => Directory.GetDirectories($"/proc/{processId}/task")).SelectMany(ChildrenOfThread).Select(id => int.Parse(id, CultureInfo.InvariantCulture))];

        static string[] ChildrenOfThread(string thread) => OrNone(() => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries));

        // Threads come and go.
        static string[] OrNone(Func<string[]> read)
        {
            try
            {
                return read();
            }
            catch (IOException)
            {
                return [];
            }
        }
    }

    /// <summary>Bytes the kernel holds that the peer has not acknowledged yet.</summary>
    public static int UnsentBytes(Socket socket) => Ioctl((int)socket.Handle, TiocOutQ, out var bytes) == 0 ? bytes : 0;

    /// <summary>Whether this process runs as root.</summary>
    public static bool IsRoot => EffectiveUserId() == 0;

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int processId, int signal);

    [DllImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Ioctl(int file, nuint request, out int value);

    [DllImport("libc", EntryPoint = "geteuid")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern uint EffectiveUserId();
}
