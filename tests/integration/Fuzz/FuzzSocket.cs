using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Entrepot.IntegrationTests.Fuzz;

/// <summary>Sends anything and reads what comes until the server closes, within a deadline.</summary>
internal static class FuzzSocket
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    /// <param name="port">A port of 127.0.0.1.</param>
    /// <param name="bytes">All that is sent.</param>
    /// <param name="halfClose">Says that no more comes, so that a server that waits for more must end.</param>
    /// <returns>All that the server sent; empty when it just closed.</returns>
    /// <exception cref="TimeoutException">The server neither answered nor closed.</exception>
    public static async Task<byte[]> ExchangeAsync(int port, ReadOnlyMemory<byte> bytes, bool halfClose)
    {
        using var timeout = new CancellationTokenSource(Deadline);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var answer = new MemoryStream();
        var buffer = new byte[16 << 10];
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            await socket.SendAsync(bytes, timeout.Token);
            if (halfClose) socket.Shutdown(SocketShutdown.Send);
            while (await socket.ReceiveAsync(buffer, timeout.Token) is > 0 and var count) answer.Write(buffer, 0, count);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"no end within {Deadline.TotalSeconds} s of: {Shown(bytes.Span)}");
        }
        catch (SocketException)
        {
            // A reset ends an exchange as a close does; what came before it counts.
        }
        return answer.ToArray();
    }

    /// <summary>The status of the first answer; 0 when there is none.</summary>
    public static int StatusOf(byte[] answer)
    {
        var line = Encoding.Latin1.GetString(answer, 0, Math.Min(answer.Length, 12));
        return line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? int.Parse(line[9..12], CultureInfo.InvariantCulture) : 0;
    }

    /// <summary>The bytes for people.</summary>
    public static string Shown(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder();
        foreach (var one in bytes[..Math.Min(bytes.Length, 600)]) text.Append(one is >= 0x20 and <= 0x7e ? (char)one : $"\\x{one:x2}");
        return text.ToString();
    }
}
