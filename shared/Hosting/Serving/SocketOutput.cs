using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// A connection's output that writes to the socket itself. Kestrel's own hands every response to a second loop over a pipe; here a small
/// response is one system call on the thread that made it, a part of a file is sent by sendfile(2) (docs/adr/0009), and what came over another connection by
/// splice(2) (docs/adr/0012). An idle connection holds no buffer. One writer at a time, as Kestrel promises.
/// </summary>
internal sealed class SocketOutput(ConnectionContext connection, Socket socket, PipeWriter replaced) : PipeWriter, IDirectBodyFeature
{
    private const int FirstBufferBytes = 4096, FewBytes = 4096;

    private static readonly byte[] Nowhere = new byte[1];

    private byte[]? _buffer;
    private int _buffered;
    private FileStretch _file;
    private KernelBuffer? _kernel;
    private int _elsewhere;
    private SendFileArgs? _sendFile;
    private bool _broken, _sending;
    private int _taken;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _buffered + _elsewhere;

    public ValueTask<BodySent> SendAsync(PipeWriter body, FileStream file, long offset, int count, CancellationToken cancellationToken)
    {
        _file = new FileStretch(file, offset);
        return SendAsync(body, count, cancellationToken);
    }

    public ValueTask<BodySent> SendAsync(PipeWriter body, KernelBuffer buffer, int count, CancellationToken cancellationToken)
    {
        _kernel = buffer;
        return SendAsync(body, count, cancellationToken);
    }

    private async ValueTask<BodySent> SendAsync(PipeWriter body, int count, CancellationToken cancellationToken)
    {
        (_taken, _elsewhere) = (0, count);
        try
        {
            // Kestrel is told that they were written to its memory: it counts them against the Content-Length.
            _ = body.GetMemory();
            body.Advance(count);
            var flushed = await body.FlushAsync(cancellationToken);
            // Kestrel does not pass on how a flush ended that took its time.
            return new BodySent(_taken, _broken || flushed.IsCompleted);
        }
        finally
        {
            (_file, _kernel, _elsewhere) = (default, null, 0);
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_elsewhere > 0) return Nowhere;
        MakeRoom(sizeHint);
        return _buffer.AsMemory(_buffered);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _buffer.AsSpan(_buffered);
    }

    public override void Advance(int bytes)
    {
        if (_elsewhere > 0) return;
        _buffered += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_broken) return ValueTask.FromResult(Gone());
        if (_buffered == 0 && _elsewhere == 0) return ValueTask.FromResult(default(FlushResult));
        if (_elsewhere > 0) return SendAllAsync(default, cancellationToken);

        ValueTask<int> sending;
        try
        {
            sending = socket.SendAsync(_buffer.AsMemory(0, _buffered), SocketFlags.None, CancellationToken.None);
        }
        catch (ObjectDisposedException)
        {
            return ValueTask.FromResult(Gone());
        }
        if (!sending.IsCompletedSuccessfully) return SendAllAsync(sending, cancellationToken);

        // Nearly always the kernel takes a small response whole and at once.
        var sent = sending.Result;
        if (sent < _buffered) return SendAllAsync(ValueTask.FromResult(sent), cancellationToken);
        ReturnBuffer();
        return ValueTask.FromResult(default(FlushResult));
    }

    // Nothing waits here but for the kernel, and that ends with the connection.
    public override void CancelPendingFlush()
    {
    }

    public override void Complete(Exception? exception = null)
    {
        _broken = true;
        if (_sending) _buffer = null; // The kernel may still be reading it.
        ReturnBuffer();
        _sendFile?.Dispose();
        replaced.Complete(exception);
    }

    private async ValueTask<FlushResult> SendAllAsync(ValueTask<int> begun, CancellationToken cancellationToken)
    {
        // FIN and not RST: what the kernel has is delivered, and the client resumes from there.
        using var cut = cancellationToken.UnsafeRegister(static output => ((SocketOutput)output!).EndShort(), this);
        _sending = true;
        try
        {
            for (var sent = await begun; sent < _buffered && !_broken;)
                sent += await socket.SendAsync(_buffer.AsMemory(sent, _buffered - sent), SocketFlags.None, CancellationToken.None);
            // A socket completes on the thread that polls it; what follows is not for that one.
            if (!Thread.CurrentThread.IsThreadPoolThread) await Task.Yield();
            ReturnBuffer();
            if (_kernel is { } kernel)
            {
                await SendBufferAsync(kernel, _elsewhere);
                if (_taken < _elsewhere) return Gone();
            }
            else if (_elsewhere > 0)
            {
                var (file, offset) = _file;
                var count = _elsewhere;
                _sendFile ??= new SendFileArgs(socket);
                var taking = _sendFile.SendAsync(file, offset, count);
                try
                {
                    await taking;
                }
                finally
                {
                    _taken = _sendFile.BytesTransferred;
                }
                // The file was cut meanwhile, which is no error to sendfile(2); but Kestrel has been told of all its bytes.
                if (_taken < count) return Gone();
            }
            return new FlushResult(isCanceled: false, isCompleted: _broken);
        }
        catch (Exception e) when (e is SocketException or IOException or ObjectDisposedException or NotSupportedException)
        {
            // NotSupportedException is how the socket says that it is not connected any more.
            var gone = Gone();
            cancellationToken.ThrowIfCancellationRequested();
            return gone;
        }
        finally
        {
            _sending = false;
        }
    }

    private async ValueTask SendBufferAsync(KernelBuffer buffer, int count)
    {
        if (buffer.Pipe is not { Count: > 0 } pipe)
        {
            while (_taken < count && !_broken) _taken += await socket.SendAsync(buffer.Memory[_taken..count], SocketFlags.None, CancellationToken.None);
            return;
        }
        var few = Array.Empty<byte>();
        while (pipe.Count > 0 && !_broken)
        {
            var moved = pipe.MoveTo(socket.SafeHandle);
            if (moved <= 0)
            {
                // A socket of .NET does not tell when it takes bytes again, but ends a send then: so a few are copied and sent.
                if (few.Length == 0) few = ArrayPool<byte>.Shared.Rent(FewBytes);
                moved = pipe.Take(few);
                for (var sent = 0; sent < moved && !_broken;) sent += await socket.SendAsync(few.AsMemory(sent, moved - sent), SocketFlags.None, CancellationToken.None);
            }
            _taken += moved;
        }
        if (few.Length > 0) ArrayPool<byte>.Shared.Return(few);
    }

    private void EndShort()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It has ended by itself.
        }
    }

    private FlushResult Gone()
    {
        if (!_broken)
        {
            _broken = true;
            connection.Abort(new ConnectionAbortedException("The client has gone away."));
        }
        ReturnBuffer();
        return new FlushResult(isCanceled: false, isCompleted: true);
    }

    private void MakeRoom(int sizeHint)
    {
        var needed = _buffered + Math.Max(sizeHint, 1);
        if (_buffer is not null && needed <= _buffer.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, _buffer is null ? FirstBufferBytes : _buffer.Length * 2));
        if (_buffer is not null)
        {
            _buffer.AsSpan(0, _buffered).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer);
        }
        _buffer = larger;
    }

    private void ReturnBuffer()
    {
        if (_buffer is null) return;
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _buffered) = (null, 0);
    }

    private readonly record struct FileStretch(FileStream File, long Offset);
}
