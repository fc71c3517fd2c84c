using System.Net;
using System.Net.Sockets;

namespace Entrepot.TestSupport.Running;

/// <summary>
/// A cable to a server on loopback: a port that passes connections on to another, byte for byte. While it is cut, connections stand and carry nothing. Safe to use from several threads.
/// </summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly Func<int> _target;
    private readonly IPAddress _from;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Socket> _sockets = [];
    private TaskCompletionSource _whole = new();
    private readonly Task _accepting;
    private int _connections;

    /// <summary>Listens at once.</summary>
    /// <param name="targetPort">The port of 127.0.0.1 to pass on to, asked for each connection.</param>
    /// <param name="from">The address that the target sees; null is 127.0.0.1.</param>
    public TcpRelay(Func<int> targetPort, IPAddress? from = null)
    {
        (_target, _from) = (targetPort, from ?? IPAddress.Loopback);
        _whole.SetResult();
        _listener = new TcpListener(IPAddress.Loopback, Port = FreePort.Next());
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url => new($"http://127.0.0.1:{Port}");

    /// <summary>How many connections have come.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>From now on no byte passes, in either direction; new connections are taken and stand too.</summary>
    public void Cut()
    {
        lock (_lock)
            if (_whole.Task.IsCompleted)
                _whole = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>What stood is closed; new connections work. Does nothing when it is not cut.</summary>
    public void Mend()
    {
        lock (_lock)
            if (!_whole.Task.IsCompleted)
                CloseAll();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        lock (_lock) CloseAll();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = RelayAsync(await _listener.AcceptSocketAsync(_end.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(Socket near)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (near)
        {
            near.NoDelay = true;
            Interlocked.Increment(ref _connections);
            lock (_lock) _sockets.UnionWith([near, far]);
            try
            {
                await Whole.WaitAsync(_end.Token);
                far.Bind(new IPEndPoint(_from, 0));
                await far.ConnectAsync(IPAddress.Loopback, _target(), _end.Token);
                await Task.WhenAll(CopyAsync(near, far), CopyAsync(far, near));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The other side is gone, or the cable.
            }
            finally
            {
                lock (_lock) _sockets.ExceptWith([near, far]);
            }
        }
    }

    private void CloseAll()
    {
        foreach (var socket in _sockets) socket.Dispose();
        _sockets.Clear();
        _whole.TrySetResult();
    }

    private Task Whole { get { lock (_lock) return _whole.Task; } }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, SocketFlags.None, _end.Token) is > 0 and var count)
            {
                await Whole.WaitAsync(_end.Token);
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), SocketFlags.None, _end.Token);
            }
            // The end goes on, and not a reset: the other direction may still carry something.
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // As above, and then for both directions.
            from.Dispose();
            to.Dispose();
        }
    }
}
