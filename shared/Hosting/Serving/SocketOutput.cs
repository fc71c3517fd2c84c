using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// A connection's output that writes to the socket itself. Kestrel's own hands every response to a second loop over a pipe; here a small
/// response is one system call on the thread that made it, and a part of a file is sent by sendfile(2) (docs/adr/0009). An idle
/// connection holds no buffer. One writer at a time, as Kestrel promises.
/// </summary>
internal sealed class SocketOutput(ConnectionContext connection, Socket socket, PipeWriter replaced) : PipeWriter, IFileBodyFeature
{
    private const int FirstBufferBytes = 4096;

    private static readonly byte[] Nowhere = new byte[1];

    private byte[]? _buffer;
    private int _buffered;
    private FileStretch _file;
    private SendFileArgs? _sendFile;
    private bool _broken, _sending;
    private int _taken;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => _buffered + _file.Count;

    public async ValueTask<FileSent> SendAsync(PipeWriter body, FileStream file, long offset, int count, CancellationToken cancellationToken)
    {
        _taken = 0;
        _file = new FileStretch(file, offset, count);
        try
        {
            // Kestrel is told that they were written to its memory: it counts them against the Content-Length.
            _ = body.GetMemory();
            body.Advance(count);
            var flushed = await body.FlushAsync(cancellationToken);
            // Kestrel does not pass on how a flush ended that took its time.
            return new FileSent(_taken, _broken || flushed.IsCompleted);
        }
        finally
        {
            _file = default;
        }
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        if (_file.Count > 0) return Nowhere;
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
        if (_file.Count > 0) return;
        _buffered += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_broken) return ValueTask.FromResult(Gone());
        if (_buffered == 0 && _file.Count == 0) return ValueTask.FromResult(default(FlushResult));
        if (_file.Count > 0) return SendAllAsync(default, cancellationToken);

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
            var (file, offset, count) = _file;
            if (count > 0)
            {
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
        catch (Exception e) when (e is SocketException or ObjectDisposedException or NotSupportedException)
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

    private readonly record struct FileStretch(FileStream File, long Offset, int Count);
}
