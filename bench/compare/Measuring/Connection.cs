using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Entrepot.Bench.Running;

namespace Entrepot.Bench.Measuring;

/// <summary>One blocking HTTP/1.1 connection for one GET. For one thread; <see cref="Cut"/> may be called from another.</summary>
internal abstract class Connection : IDisposable
{
    private const int SolSocket = 1;
    private const int SoReceiveTimeout = 20;
    private readonly byte[] _head = new byte[1 << 16];

    /// <summary>Connects.</summary>
    /// <param name="url">An address of 127.0.0.1.</param>
    protected Connection(Uri url)
    {
        Url = url;
        Socket.Connect(IPAddress.Loopback, url.Port);

        // No silence of a peer may hold up the run for ever: struct timeval { 120 s, 0 µs }.
        Span<byte> timeval = stackalloc byte[16];
        BitConverter.TryWriteBytes(timeval, 120L);
        Socket.SetRawSocketOption(SolSocket, SoReceiveTimeout, timeval);
    }

    /// <summary>What is got.</summary>
    protected Uri Url { get; }

    /// <summary>The socket, in blocking mode.</summary>
    protected Socket Socket { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    /// <summary>Connects as the URL's scheme says.</summary>
    public static Connection To(Uri url) => url.Scheme == Uri.UriSchemeHttps ? new TlsConnection(url) : new PlainConnection(url);

    /// <summary>Sends the GET and reads the head of the answer.</summary>
    /// <returns>How many bytes the body has, and those of them that came with the head; valid until the next call.</returns>
    /// <exception cref="BenchException">The answer is no 200 of a known length.</exception>
    public (long Length, ReadOnlyMemory<byte> First) Get()
    {
        Send(Encoding.ASCII.GetBytes($"GET {Url.PathAndQuery} HTTP/1.1\r\nHost: {Url.Authority}\r\nUser-Agent: entrepot-bench\r\nConnection: close\r\n\r\n"));
        for (var have = 0; have < _head.Length;)
        {
            var count = Receive(_head.AsSpan(have));
            if (count == 0) throw new BenchException($"GET {Url.AbsolutePath}: the connection was closed before the headers");
            have += count;
            var end = _head.AsSpan(0, have).IndexOf("\r\n\r\n"u8);
            if (end >= 0) return (LengthOf(Encoding.ASCII.GetString(_head, 0, end)), _head.AsMemory((end + 4)..have));
        }

        throw new BenchException($"GET {Url.AbsolutePath}: the headers are too long");
    }

    /// <summary>Reads some bytes into the buffer; 0 at the end.</summary>
    public abstract int Receive(Span<byte> buffer);

    /// <summary>Reads some bytes and forgets them, as cheaply as can be; 0 at the end.</summary>
    public abstract int Discard();

    /// <summary>Makes a blocked call return.</summary>
    public void Cut()
    {
        try
        {
            Socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is closed already.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the socket.</summary>
    protected virtual void Dispose(bool disposing) => Socket.Dispose();

    /// <summary>Sends all of this.</summary>
    protected abstract void Send(byte[] bytes);

    private long LengthOf(string head)
    {
        var lines = head.Split("\r\n");
        if (lines[0].Split(' ')[1] != "200") throw new BenchException($"GET {Url.AbsolutePath}: {lines[0]}");
        var length = lines.FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
            ?? throw new BenchException($"GET {Url.AbsolutePath}: no Content-Length");
        return long.Parse(length.AsSpan("Content-Length:".Length), CultureInfo.InvariantCulture);
    }
}
