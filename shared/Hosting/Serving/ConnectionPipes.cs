using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Entrepot.Hosting.Serving;

/// <summary>How connections are read and written. Plain HTTP gets a <see cref="SocketOutput"/>; behind TLS the bytes must pass through this process.</summary>
internal static class ConnectionPipes
{
    public static void UseSocketOutput(ListenOptions listen) => listen.Use(next => async connection =>
    {
        var plain = connection.Transport;
        var output = new SocketOutput(connection, connection.Features.Get<IConnectionSocketFeature>()!.Socket, plain.Output);
        connection.Features.Set<IDirectBodyFeature>(output);
        connection.Transport = new Duplex(plain.Input, output);
        try
        {
            await next(connection);
            // Kestrel leaves it to the transport to send what it did not flush, such as the head of a response that ends before its body.
            await output.FlushAsync();
        }
        finally
        {
            await output.CompleteAsync();
        }
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
