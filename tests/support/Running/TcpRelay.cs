using System.Net;
using System.Net.Sockets;

namespace Entrepot.TestSupport.Running;

/// <summary>A loopback port that passes connections on to another, byte for byte, and counts them. Safe to use from several threads.</summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _accepting;
    private int _connections;

    /// <summary>Listens at once.</summary>
    /// <param name="targetPort">The port of 127.0.0.1 to pass on to, asked for each connection.</param>
    /// <param name="from">The address that the target sees; null is 127.0.0.1.</param>
    public TcpRelay(Func<int> targetPort, IPAddress? from = null)
    {
        _listener = new TcpListener(IPAddress.Loopback, Port = FreePort.Next());
        _listener.Start();
        _accepting = AcceptAsync(targetPort, from ?? IPAddress.Loopback);
    }

    /// <summary>Where it listens, on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url => new($"http://127.0.0.1:{Port}");

    /// <summary>How many connections have come.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _ending.Dispose();
    }

    private async Task AcceptAsync(Func<int> targetPort, IPAddress from)
    {
        var open = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_ending.Token);
                Interlocked.Increment(ref _connections);
                open.RemoveAll(task => task.IsCompleted);
                open.Add(PassAsync(client, targetPort, from));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(open);
        }
    }

    private async Task PassAsync(TcpClient client, Func<int> targetPort, IPAddress from)
    {
        using var target = new TcpClient(new IPEndPoint(from, 0));
        using (client)
        {
            try
            {
                await target.ConnectAsync(IPAddress.Loopback, targetPort(), _ending.Token);
                // Whoever closes first closes for both.
                await Task.WhenAny(
                    client.GetStream().CopyToAsync(target.GetStream(), _ending.Token),
                    target.GetStream().CopyToAsync(client.GetStream(), _ending.Token));
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
            {
                // As a wire that breaks.
            }
        }
    }
}
