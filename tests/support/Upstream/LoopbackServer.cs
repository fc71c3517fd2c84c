using System.Net;
using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Entrepot.TestSupport.Upstream;

/// <summary>HTTP/1.1 on a loopback port, which stays the same when it goes down and comes back.</summary>
/// <param name="answer">Answers every request.</param>
internal sealed class LoopbackServer(RequestDelegate answer) : IAsyncDisposable
{
    private WebApplication? _app;

    public int Port { get; } = FreePort.Next();

    /// <summary><c>http://127.0.0.1:port</c>.</summary>
    public Uri Url => new($"http://127.0.0.1:{Port}");

    /// <summary>Does nothing when it is up.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (_app is not null) return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();

        // A flush returns when the kernel has the bytes: what is counted as sent is sent. (Kestrel's MaxResponseBufferSize does not reach this buffer.)
        builder.WebHost.UseKestrelCore().UseSockets(sockets => sockets.MaxWriteBufferSize = 1).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, Port, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync(cancellationToken);
        _app = app;
    }

    /// <summary>Cuts running answers and refuses connections when this returns. Does nothing when it is down.</summary>
    public async Task StopAsync()
    {
        if (_app is null) return;
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Kestrel says so when it had to cut connections, which is what was asked of it.
        }

        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync() => await StopAsync();
}
