using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// A pipe of the kernel that splice(2) moves bytes through, from one socket to another: references to the pages they arrived in, no copies. Nothing here waits.
/// An empty one is kept for the next when it is disposed of. For one user at a time.
/// </summary>
internal sealed partial class KernelPipe : IDisposable
{
    private const int KeptPipes = 16, PipeNonBlocking = 0x800, PipeCloseOnExec = 0x80000, SetPipeSize = 1031;
    private const uint SpliceNonBlocking = 2;
    private const int Interrupted = 4, TryAgain = 11;

    private static readonly ConcurrentBag<KernelPipe> Kept = [];

    private readonly SafeFileHandle _readEnd, _writeEnd;

    private KernelPipe(SafeFileHandle readEnd, SafeFileHandle writeEnd) => (_readEnd, _writeEnd) = (readEnd, writeEnd);

    /// <summary>How many bytes are in it.</summary>
    public int Count { get; private set; }

    /// <summary>An empty one; null where there are none: on another system, or when the process has no descriptors or the account no room for pipes left.</summary>
    public static unsafe KernelPipe? OpenOrNull(int bytes)
    {
        if (!OperatingSystem.IsLinux()) return null;
        if (Kept.TryTake(out var kept)) return kept;
        var ends = stackalloc int[2];
        if (Open(ends, PipeNonBlocking | PipeCloseOnExec) != 0) return null;
        var pipe = new KernelPipe(new SafeFileHandle(ends[0], ownsHandle: true), new SafeFileHandle(ends[1], ownsHandle: true));
        if (Control(pipe._writeEnd, SetPipeSize, bytes) >= 0) return pipe;
        // An account has 64 MiB of pipes by default, whoever of its processes has them. One of two pages moves less at a time than copying costs.
        pipe.Close();
        return null;
    }

    /// <summary>Moves what has arrived at a socket, at most so many bytes: how many, 0 at the stream's end, -1 when nothing is there yet.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int MoveFrom(SafeHandle socket, int most)
    {
        var moved = Move(socket, _writeEnd, most);
        if (moved > 0) Count += moved;
        return moved;
    }

    /// <summary>Moves what is in it on to a socket: how many bytes, -1 when the socket takes none now.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public int MoveTo(SafeHandle socket)
    {
        var moved = Move(_readEnd, socket, Count);
        if (moved > 0) Count -= moved;
        return moved;
    }

    /// <summary>Copies the next bytes out of it: how many.</summary>
    public unsafe int Take(Span<byte> bytes)
    {
        fixed (byte* first = bytes)
        {
            var taken = (int)Read(_readEnd, first, (nuint)Math.Min(bytes.Length, Count));
            if (taken < 0) throw Failed("read");
            Count -= taken;
            return taken;
        }
    }

    public void Dispose()
    {
        if (Count == 0 && Kept.Count < KeptPipes)
        {
            Kept.Add(this);
            return;
        }
        Close();
    }

    private void Close()
    {
        _readEnd.Dispose();
        _writeEnd.Dispose();
    }

    private static int Move(SafeHandle from, SafeHandle to, int most)
    {
        while (true)
        {
            var moved = Splice(from, 0, to, 0, (nuint)most, SpliceNonBlocking);
            if (moved >= 0) return (int)moved;
            switch (Marshal.GetLastPInvokeError())
            {
                case TryAgain: return -1;
                case Interrupted: continue;
                default: throw Failed("splice");
            }
        }
    }

    private static IOException Failed(string call)
    {
        var error = new Win32Exception(Marshal.GetLastPInvokeError());
        return new IOException($"{call}: {error.Message}", error);
    }

    [LibraryImport("libc", EntryPoint = "pipe2", SetLastError = true)]
    private static unsafe partial int Open(int* ends, int flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int Control(SafeHandle fd, int command, int value);

    [LibraryImport("libc", EntryPoint = "splice", SetLastError = true)]
    private static partial nint Splice(SafeHandle from, nint fromOffset, SafeHandle to, nint toOffset, nuint count, uint flags);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(SafeHandle fd, byte* bytes, nuint count);
}
