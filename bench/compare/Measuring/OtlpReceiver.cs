using System.Net;
using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Entrepot.Bench.Measuring;

/// <summary>A stand-in for Seq on loopback: says 200 to everything and throws it away.</summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly int _port = FreePort.Next();
    private long _bytes;

    private OtlpReceiver()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, _port));
        _app = builder.Build();
        _app.Run(async http =>
        {
            for (var part = await http.Request.BodyReader.ReadAsync(); ; part = await http.Request.BodyReader.ReadAsync())
            {
                Interlocked.Add(ref _bytes, part.Buffer.Length);
                http.Request.BodyReader.AdvanceTo(part.Buffer.End);
                if (part.IsCompleted) return;
            }
        });
    }

    /// <summary>Base address for <c>Telemetry:OtlpEndpoint</c>.</summary>
    public Uri Url => new($"http://127.0.0.1:{_port}");

    /// <summary>Bytes that came so far.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Starts one.</summary>
    public static async Task<OtlpReceiver> StartAsync(CancellationToken cancellationToken)
    {
        var receiver = new OtlpReceiver();
        await receiver._app.StartAsync(cancellationToken);
        return receiver;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
