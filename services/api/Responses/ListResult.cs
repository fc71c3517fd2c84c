using System.Globalization;
using System.Text;
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
        http.Response.ContentType = "application/json";
        // Names of repositories, registries and tags hold nothing that JSON escapes.
        return ArrayBody.WriteAsync(
            http, name is null ? $"{{\"{listName}\":[" : $"{{\"name\":\"{name}\",\"{listName}\":[", entries, entry => entry.Length + 2, Quote, "]}");
    }

    private static void Quote(string entry, Span<byte> json)
    {
        json[0] = json[^1] = (byte)'"';
        Encoding.ASCII.GetBytes(entry, json[1..]);
    }
}
