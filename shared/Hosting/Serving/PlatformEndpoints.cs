using Entrepot.Hosting.Health;
using Entrepot.Hosting.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Entrepot.Hosting.Serving;

/// <summary>
/// Answers <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c> ahead of everything else. They are in no trace and no request metric:
/// what asks them comes every few seconds and would drown the rest.
/// </summary>
internal sealed class PlatformEndpoints(RequestDelegate next, Readiness readiness, MetricsRegistry metrics)
{
    private static readonly ReadOnlyMemory<byte> Alive = "ok"u8.ToArray();

    public Task InvokeAsync(HttpContext context) => context.Request.Path.Value switch
    {
        "/healthz" => AnswerAsync(context, _ => ValueTask.FromResult((200, "text/plain; charset=utf-8", Alive))),
        "/readyz" => AnswerAsync(context, ReadyAsync),
        "/metrics" => AnswerAsync(context, _ => ValueTask.FromResult((200, "text/plain; version=0.0.4; charset=utf-8", metrics.Scrape()))),
        _ => next(context),
    };

    private async ValueTask<(int Status, string Type, ReadOnlyMemory<byte> Body)> ReadyAsync(CancellationToken cancellationToken)
    {
        var (ready, json) = await readiness.AskAsync(cancellationToken);
        return (ready ? 200 : 503, "application/json", json);
    }

    private static async Task AnswerAsync(HttpContext context, Func<CancellationToken, ValueTask<(int Status, string Type, ReadOnlyMemory<byte> Body)>> answer)
    {
        if (context.Features.Get<IHttpMetricsTagsFeature>() is { } request)
            request.MetricsDisabled = true;
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is { } activity)
            activity.ActivityTraceFlags &= ~System.Diagnostics.ActivityTraceFlags.Recorded;
        var response = context.Response;
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            response.StatusCode = 405;
            response.Headers.Allow = "GET, HEAD";
            return;
        }

        var (status, type, body) = await answer(context.RequestAborted);
        response.StatusCode = status;
        response.ContentType = type;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsGet(context.Request.Method))
            await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }
}
