using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Entrepot.Hosting.Serving;

namespace Entrepot.Hosting;

/// <summary>
/// An HTTP client's connection whose bodies can go on to another socket without being copied: what is to be read into a <see cref="KernelBuffer"/> stays in the kernel.
/// The client passes a caller's memory down to its connection when it has nothing buffered and nothing is encrypted; else the bytes are copied. What waits for
/// bytes goes on in the pool (docs/adr/0009).
/// </summary>
public sealed class SpliceStream : NetworkStream
{
    // Each wake-up costs as much as moving some hundred kibibytes. A slow sender is not waited for: what has come by then goes on.
    private const int LargePiece = KernelBuffer.Bytes / 2;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(50);

    private readonly int _piece;
    private readonly Timer _patience;
    private volatile int _wakesAt = 1;

    private SpliceStream(Socket socket, int piece)
        : base(socket, ownsSocket: true) => (_piece, _patience) = (piece, new Timer(static stream => ((SpliceStream)stream!).WakeAt(1), this, Timeout.Infinite, Timeout.Infinite));

    /// <summary>To be a handler's <see cref="SocketsHttpHandler.ConnectCallback"/>: bytes are moved as soon as they come.</summary>
    public static ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) => ConnectAsync(context, 1, cancellationToken);

    /// <summary>The same for who sends as fast as it can: bytes are moved half a buffer at a time, or what there is after 50 ms.</summary>
    public static ValueTask<Stream> ConnectForLargePiecesAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken) => ConnectAsync(context, LargePiece, cancellationToken);

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, int piece, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new SpliceStream(socket, piece);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
        finally
        {
            await Task.Yield();
        }
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (!buffer.IsEmpty && MemoryMarshal.TryGetMemoryManager<byte, KernelBuffer>(buffer, out var kernel) && kernel.OpenPipeOrNull() is { } pipe)
            return MoveAsync(pipe, buffer.Length, cancellationToken);
        WakeAt(1);
        var reading = base.ReadAsync(buffer, cancellationToken);
        return reading.IsCompletedSuccessfully ? reading : HopAsync(reading);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _patience.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>How many bytes must have come, or the stream's end, before a wait ends (SO_RCVLOWAT); a wait that is under way ends at once when there are as many.</summary>
    private void WakeAt(int bytes)
    {
        if (bytes == _wakesAt) return;
        try
        {
            // The timer may be at it too.
            lock (_patience)
            {
                _wakesAt = bytes;
                Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, bytes);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed: who waits is told.
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> MoveAsync(KernelPipe pipe, int most, CancellationToken cancellationToken)
    {
        try
        {
            for (var hasWaited = false; ;)
            {
                var moved = pipe.MoveFrom(Socket.SafeHandle, most);
                if (moved >= 0)
                {
                    if (hasWaited) await Task.Yield();
                    return moved;
                }
                WakeAt(Math.Min(_piece, most));
                if (_wakesAt > 1) _patience.Change(Patience, Timeout.InfiniteTimeSpan);
                // Of no byte: it waits for some. It may end early.
                _ = await base.ReadAsync(Memory<byte>.Empty, cancellationToken);
                if (_piece > 1) _patience.Change(Timeout.Infinite, Timeout.Infinite);
                hasWaited = true;
            }
        }
        catch (ObjectDisposedException e)
        {
            // As a network stream says it; the timer goes with the connection, too.
            throw new IOException("The connection was closed.", e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private static async ValueTask<int> HopAsync(ValueTask<int> pending)
    {
        try
        {
            return await pending;
        }
        finally
        {
            await Task.Yield();
        }
    }
}
