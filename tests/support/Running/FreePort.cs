using System.Net;
using System.Net.Sockets;

namespace Entrepot.TestSupport.Running;

/// <summary>Hands out loopback TCP ports that nobody listens on.</summary>
public static class FreePort
{
    // Below Linux's range for outgoing connections (32768 and up): a port from there may be taken by a client's socket
    // between the moment it is handed out and the moment a server binds it, or while a restarted server is down.
    private const int First = 20_000;
    private const int Last = 32_000;

    // Apart from the single ones: scattered, a few hundred of those would leave no stretch whole.
    private const int FirstStretch = 10_000, LastStretch = 20_000;
    private static readonly HashSet<int> HandedOut = [];

    /// <summary>A port that was free a moment ago and is never handed out twice by this process. Safe to call from several threads.</summary>
    /// <exception cref="InvalidOperationException">No free port was found.</exception>
    public static int Next()
    {
        for (var attempt = 0; attempt < 1000; attempt++)
        {
            var port = Random.Shared.Next(First, Last);
            lock (HandedOut)
            {
                if (HandedOut.Contains(port) || !CanBind(port)) continue;
                HandedOut.Add(port);
                return port;
            }
        }

        throw new InvalidOperationException($"No free port between {First} and {Last} on 127.0.0.1.");
    }

    /// <summary>The first of so many ports in a row that were free a moment ago and are never handed out by this process otherwise.</summary>
    /// <exception cref="InvalidOperationException">No such stretch was found.</exception>
    public static int NextStretch(int count)
    {
        for (var attempt = 0; attempt < 100; attempt++)
        {
            var first = Random.Shared.Next(FirstStretch, LastStretch - count);
            lock (HandedOut)
            {
                var stretch = Enumerable.Range(first, count).ToList();
                if (stretch.Exists(port => HandedOut.Contains(port) || !CanBind(port))) continue;
                HandedOut.UnionWith(stretch);
                return first;
            }
        }

        throw new InvalidOperationException($"No {count} free ports in a row between {FirstStretch} and {LastStretch} on 127.0.0.1.");
    }

    private static bool CanBind(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Any, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
