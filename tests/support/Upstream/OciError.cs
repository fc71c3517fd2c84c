using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Entrepot.TestSupport.Upstream;

/// <summary>Answers with an error as registries write it.</summary>
internal static class OciError
{
    public static async Task WriteAsync(HttpContext context, int status, string message, string? code = null)
    {
        code ??= status switch
        {
            401 => "UNAUTHORIZED",
            403 => "DENIED",
            404 => context.Request.Path.Value!.Contains("/blobs/", StringComparison.Ordinal) ? "BLOB_UNKNOWN" : "MANIFEST_UNKNOWN",
            405 => "UNSUPPORTED",
            429 => "TOOMANYREQUESTS",
            503 => "UNAVAILABLE",
            _ => "UNKNOWN",
        };
        var body = JsonSerializer.SerializeToUtf8Bytes(new { errors = new[] { new { code, message } } });
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(body);
    }
}
