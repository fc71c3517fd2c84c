using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Upstream;

/// <summary>One request and its answer: asks the backend, and plays the fault that applies.</summary>
internal sealed class Exchange(Uri backend, FaultList faults, UpstreamFront front) : IDisposable
{
    private const int Chunk = 128 * 1024;
    private static readonly byte[] Html = Encoding.UTF8.GetBytes("<html><body>Please sign in to this network.</body></html>");

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false, AutomaticDecompression = DecompressionMethods.None })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public void Dispose() => _client.Dispose();

    /// <summary>Plays a fault that needs no answer of the backend; false when there is none.</summary>
    public static async Task<bool> PlayInsteadOfAnswerAsync(FaultList faults, HttpContext context, RecordedRequest record)
    {
        var fault = faults.Take(record.Path, f => f.Kind is FaultKind.HangBeforeHeaders or FaultKind.Html200 or FaultKind.Status or FaultKind.Drop);
        if (fault is null) return false;
        record.Fault = fault.Fault.Kind;
        var response = context.Response;
        switch (fault.Fault.Kind)
        {
            case FaultKind.HangBeforeHeaders:
                await fault.Healed.WaitAsync(context.RequestAborted);
                CloseWithoutAnswer(context);
                break;
            case FaultKind.Drop:
                CloseWithoutAnswer(context);
                break;
            case FaultKind.Html200:
                record.Status = response.StatusCode = StatusCodes.Status200OK;
                response.ContentType = "text/html";
                response.ContentLength = Html.Length;
                if (!HttpMethods.IsHead(record.Method)) await SendAsync(context, record, Html);
                record.Completed = true;
                break;
            default:
                record.Status = fault.Fault.StatusCode;
                if (fault.Fault.RetryAfter is { } wait) response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
                await OciError.WriteAsync(context, fault.Fault.StatusCode, "fault of a test");
                record.Completed = true;
                break;
        }

        return true;
    }

    /// <summary>Asks the backend and passes its answer on, spoiled if a fault says so.</summary>
    public async Task ForwardAsync(HttpContext context, RecordedRequest record, string backendPath)
    {
        if (record.Method is not ("GET" or "HEAD"))
        {
            record.Status = StatusCodes.Status405MethodNotAllowed;
            await OciError.WriteAsync(context, record.Status, "this upstream is only read");
            return;
        }

        var ignoreRange = record.Range is null ? null : faults.Take(record.Path, f => f.Kind == FaultKind.IgnoreRange);
        if (ignoreRange is not null) record.Fault = FaultKind.IgnoreRange;
        using var request = new HttpRequestMessage(new HttpMethod(record.Method), new Uri(backend, backendPath + record.Query));

        // With the Host, an absolute link of the backend leads back here.
        foreach (var name in new[] { "Host", "Accept", "Range", "If-None-Match", "If-Range" })
        {
            if (name == "Range" && ignoreRange is not null) continue;
            if (context.Request.Headers.TryGetValue(name, out var values)) request.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
        }

        HttpResponseMessage answer;
        try
        {
            answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted);
        }
        catch (HttpRequestException e)
        {
            record.Status = StatusCodes.Status502BadGateway;
            await OciError.WriteAsync(context, record.Status, $"the registry behind this front does not answer: {e.Message}");
            return;
        }

        using (answer) await PassOnAsync(context, record, answer);
    }

    private async Task PassOnAsync(HttpContext context, RecordedRequest record, HttpResponseMessage answer)
    {
        var length = answer.Content.Headers.ContentLength;
        var contentRange = answer.Content.Headers.ContentRange;
        var hasBody = record.Method == "GET" && answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.PartialContent;
        record.FirstByte = contentRange?.From ?? 0;
        record.TotalSize = contentRange?.Length ?? length;
        var fault = faults.Take(record.Path, f => Applies(f, record, hasBody, length));
        record.Fault ??= fault?.Fault.Kind;

        var response = context.Response;
        record.Status = response.StatusCode = (int)answer.StatusCode;
        CopyHeaders(answer.Headers, response.Headers);
        CopyHeaders(answer.Content.Headers, response.Headers);
        var plan = new BodyPlan(fault, record, length ?? -1, front.BytesPerSecond);
        if (fault?.Fault.Kind == FaultKind.WrongDigestHeader) response.Headers["Docker-Content-Digest"] = "sha256:" + new string('0', 64);
        if (hasBody && plan.AnnouncedLength is { } announced) response.ContentLength = announced;
        if (fault?.Fault.Kind == FaultKind.NoContentLength) response.ContentLength = null;
        await response.StartAsync(context.RequestAborted);
        record.Completed = record.Method == "HEAD" || await SendBodyAsync(context, record, answer, plan);
    }

    private static async Task<bool> SendBodyAsync(HttpContext context, RecordedRequest record, HttpResponseMessage answer, BodyPlan plan)
    {
        var aborted = context.RequestAborted;
        await using var body = await answer.Content.ReadAsStreamAsync(aborted);
        var buffer = ArrayPool<byte>.Shared.Rent(Chunk);
        var pace = new Pace(plan.BytesPerSecond);
        try
        {
            long sent = 0;
            while (true)
            {
                if (plan.StopAt == sent)
                {
                    switch (plan.Kind)
                    {
                        case FaultKind.HangMidBody:
                            await plan.Fault!.Healed.WaitAsync(aborted);
                            plan.StopAt = null;
                            break;
                        case FaultKind.Reset:
                            await ResetAsync(context);
                            return false;
                        case FaultKind.Truncate:
                            return false; // Short of Content-Length: Kestrel closes the connection with FIN.
                        default:
                            return true; // A shorter body, as announced.
                    }
                }

                var most = Math.Min(Math.Min(Chunk, pace.Step), plan.StopAt - sent ?? long.MaxValue);
                var count = await body.ReadAsync(buffer.AsMemory(0, (int)most), aborted);
                if (count == 0) break;
                if (plan.FlipAt - sent is >= 0 and var flip && flip < count) buffer[flip] ^= 0xFF;
                await SendAsync(context, record, buffer.AsMemory(0, count));
                sent += count;
                await pace.WaitAsync(sent, aborted);
            }

            if (plan.Kind == FaultKind.ExtraByte) await SendAsync(context, record, "x"u8.ToArray());
            return true;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task SendAsync(HttpContext context, RecordedRequest record, ReadOnlyMemory<byte> bytes)
    {
        record.AboutToSend();
        await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
        record.CountSent(bytes.Length);
    }

    private static bool Applies(Fault fault, RecordedRequest record, bool hasBody, long? length)
    {
        if (fault.Kind is FaultKind.WrongDigestHeader) return record.Status is 0 or 200 or 206;
        if (!fault.NeedsBody || fault.Kind is FaultKind.IgnoreRange || !hasBody) return false;
        if (fault.NeedsPosition && length is { } bytes && record.TotalSize is { } total)
        {
            var at = fault.At ?? total - 1;
            return at >= record.FirstByte && at < record.FirstByte + bytes;
        }

        return !fault.NeedsEnd || record.FirstByte + length == record.TotalSize;
    }

    // RST loses what the peer's kernel has not taken: wait for that, so that exactly the promised bytes arrive.
    private static async Task ResetAsync(HttpContext context)
    {
        var socket = context.Features.Get<IConnectionSocketFeature>()!.Socket;
        await Eventually.Async(() => Posix.UnsentBytes(socket) == 0, TimeSpan.FromSeconds(30), "the peer to take the bytes before a reset");
        socket.Close(timeout: 0);
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature>()!.Abort();
    }

    private static void CloseWithoutAnswer(HttpContext context)
    {
        var socket = context.Features.Get<IConnectionSocketFeature>()!.Socket;
        socket.Shutdown(SocketShutdown.Both);
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpRequestLifetimeFeature>()!.Abort();
    }

    private static void CopyHeaders(HttpHeaders from, IHeaderDictionary to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            if (name is "Connection" or "Transfer-Encoding" or "Keep-Alive" or "Date") continue;
            to[name] = values.ToArray();
        }
    }
}
