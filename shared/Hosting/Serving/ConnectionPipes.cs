using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Entrepot.Hosting.Serving;

/// <summary>How connections are read and written. Plain HTTP gets a <see cref="SocketOutput"/>; behind TLS the bytes must pass through this process.</summary>
internal static class ConnectionPipes
{
    public static void UseSocketOutput(ListenOptions listen) => listen.Use(next => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket) return next(connection);
        var output = new SocketOutput(connection, socket, connection.Transport.Output);
        connection.Features.Set<IFileBodyFeature>(output);
        connection.Transport = new Duplex(connection.Transport.Input, output);
        return next(connection);
    });

    /// <summary>Keeps everything out of the threads that poll the sockets. To be used before TLS.</summary>
    public static void UsePool(ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Transport = new Duplex(new PoolInput(connection.Transport.Input), new PoolOutput(connection.Transport.Output));
        return next(connection);
    });

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
