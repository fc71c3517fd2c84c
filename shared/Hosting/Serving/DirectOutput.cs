using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Entrepot.Hosting.Serving;

/// <summary>Gives the connections of a plain HTTP endpoint a <see cref="SocketOutput"/>. Behind TLS the bytes must pass through this process.</summary>
internal static class DirectOutput
{
    public static void Use(ListenOptions listen) => listen.Use(next => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket) return next(connection);
        var output = new SocketOutput(connection, socket, connection.Transport.Output);
        connection.Features.Set<IFileBodyFeature>(output);
        connection.Transport = new Duplex(connection.Transport.Input, output);
        return next(connection);
    });

    private sealed class Duplex(PipeReader input, PipeWriter output) : IDuplexPipe
    {
        public PipeReader Input => input;

        public PipeWriter Output => output;
    }
}
