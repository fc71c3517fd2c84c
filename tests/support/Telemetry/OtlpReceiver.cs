using System.Collections.Concurrent;
using System.Text;
using Entrepot.TestSupport.Upstream;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Telemetry;

/// <summary>Stands where Seq would be, on loopback: takes logs and traces by OTLP (http/protobuf) at Seq's paths, and keeps them. Thread-safe.</summary>
public sealed class OtlpReceiver : IAsyncDisposable
{
    private readonly ConcurrentQueue<OtlpSpan> _spans = [];
    private readonly ConcurrentQueue<OtlpLog> _logs = [];
    private readonly ConcurrentQueue<string> _keys = [];
    private readonly ConcurrentQueue<byte[]> _requests = [];
    private readonly LoopbackServer _server;

    private OtlpReceiver() => _server = new LoopbackServer(TakeAsync);

    /// <summary>For <c>Telemetry:OtlpEndpoint</c>.</summary>
    public Uri Url => _server.Url;

    /// <summary>All spans so far.</summary>
    public IReadOnlyList<OtlpSpan> Spans => [.. _spans];

    /// <summary>All log records so far.</summary>
    public IReadOnlyList<OtlpLog> Logs => [.. _logs];

    /// <summary>The API key of each request so far; empty where there was none.</summary>
    public IReadOnlyList<string> Keys => [.. _keys];

    /// <summary>Starts one.</summary>
    public static async Task<OtlpReceiver> StartNewAsync(CancellationToken cancellationToken = default)
    {
        var receiver = new OtlpReceiver();
        await receiver._server.StartAsync(cancellationToken);
        return receiver;
    }

    /// <summary>The spans of one trace so far.</summary>
    public IReadOnlyList<OtlpSpan> SpansOf(string traceId) => [.. _spans.Where(s => s.TraceId == traceId)];

    /// <summary>The log records of one trace so far.</summary>
    public IReadOnlyList<OtlpLog> LogsOf(string traceId) => [.. _logs.Where(l => l.TraceId == traceId)];

    /// <summary>Whether any request so far had the text anywhere in it, in what <see cref="OtlpSpan"/> and <see cref="OtlpLog"/> leave out too.</summary>
    public bool Saw(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return _requests.Any(request => request.AsSpan().IndexOf(bytes) >= 0);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        await http.Request.Body.CopyToAsync(body);
        _requests.Enqueue(body.ToArray());
        switch (http.Request.Path.Value)
        {
            case "/ingest/otlp/v1/traces":
                OtlpRequest.Spans(body.ToArray()).ForEach(_spans.Enqueue);
                break;
            case "/ingest/otlp/v1/logs":
                OtlpRequest.Logs(body.ToArray()).ForEach(_logs.Enqueue);
                break;
            default:
                http.Response.StatusCode = StatusCodes.Status404NotFound;
                return;
        }
        _keys.Enqueue(http.Request.Headers["X-Seq-ApiKey"].ToString());
    }
}
