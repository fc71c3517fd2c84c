using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Writes one page of a list and the link to the next, which keeps the path and the <c>ns</c> that the client used.</summary>
internal static class ListResult
{
    public static Task WriteAsync(HttpContext http, Page page, IReadOnlyList<string> all, string listName, string? name)
    {
        var (entries, hasMore) = page.Of(all);
        if (hasMore)
        {
            var ns = http.Request.Query["ns"].ToString();
            var link = string.Create(CultureInfo.InvariantCulture,
                $"<{http.Request.Path.ToUriComponent()}?n={page.Count}&last={Uri.EscapeDataString(entries[^1])}{(ns.Length > 0 ? "&ns=" + Uri.EscapeDataString(ns) : "")}>; rel=\"next\"");
            http.Response.Headers.Link = link;
        }
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (name is not null) writer.WriteString("name"u8, name);
            writer.WriteStartArray(listName);
            foreach (var entry in entries) writer.WriteStringValue(entry);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = buffer.Length;
        return http.Request.Method == HttpMethods.Head ? Task.CompletedTask : http.Response.Body.WriteAsync(buffer.ToArray(), http.RequestAborted).AsTask();
    }
}
