using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace Entrepot.Hosting.Serving;

/// <summary>One connection's sendfile(2), awaitable and used over and over: .NET sends a packet element that names a file by that system call.</summary>
internal sealed class SendFileArgs(Socket socket) : SocketAsyncEventArgs(true), IValueTaskSource
{
    private ManualResetValueTaskSourceCore<bool> _sent = new() { RunContinuationsAsynchronously = true };

    /// <summary>Completes when the kernel has taken all the bytes.</summary>
    /// <exception cref="SocketException">The connection has ended.</exception>
    public ValueTask SendAsync(FileStream file, long offset, int count)
    {
        _sent.Reset();
        SendPacketsElements = [new SendPacketsElement(file, offset, count)];
        if (!socket.SendPacketsAsync(this)) OnCompleted(this);
        return new ValueTask(this, _sent.Version);
    }

    public void GetResult(short token) => _sent.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => _sent.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _sent.OnCompleted(continuation, state, token, flags);

    protected override void OnCompleted(SocketAsyncEventArgs e)
    {
        if (SocketError == SocketError.Success) _sent.SetResult(true);
        else _sent.SetException(new SocketException((int)SocketError));
    }
}
