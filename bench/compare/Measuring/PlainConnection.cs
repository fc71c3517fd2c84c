using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Entrepot.Bench.Measuring;

/// <summary>Plain HTTP. Bodies are thrown away by the kernel (<c>MSG_TRUNC</c> on TCP, tcp(7)) and never copied, so that the reader is no bottleneck.</summary>
/// <param name="url">What is got.</param>
internal sealed class PlainConnection(Uri url) : Connection(url)
{
    private const int MsgTrunc = 0x20;
    private const int Interrupted = 4; // EINTR
    private const int AtMost = 8 << 20;

    /// <inheritdoc/>
    public override int Receive(Span<byte> buffer) => Socket.Receive(buffer);

    /// <inheritdoc/>
    public override int Discard()
    {
        while (true)
        {
            var count = Recv((int)Socket.Handle, 0, AtMost, MsgTrunc);
            if (count >= 0) return (int)count;
            if (Marshal.GetLastPInvokeError() is var error && error != Interrupted) throw new Win32Exception(error, $"recv: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    /// <inheritdoc/>
    protected override void Send(byte[] bytes) => Socket.Send(bytes);

    [DllImport("libc", EntryPoint = "recv", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint Recv(int socket, nint buffer, nuint length, int flags);
}
