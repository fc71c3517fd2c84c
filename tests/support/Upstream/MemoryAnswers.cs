using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Entrepot.TestSupport.Images;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Entrepot.TestSupport.Upstream;

/// <summary>What a <see cref="MemoryRegistry"/> says.</summary>
internal static class MemoryAnswers
{
    public static Task AnswerAsync(HttpContext context, MemoryRepository repository, string route, string reference) => route switch
    {
        "manifests" => ManifestAsync(context, repository, reference),
        "blobs" => BlobAsync(context, repository, reference),
        "referrers" => ReferrersAsync(context, repository, reference),
        _ => TagsAsync(context, repository),
    };

    public static async Task WriteAsync(HttpContext context, MemoryAnswer answer)
    {
        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        foreach (var (name, value) in answer.Headers) response.Headers.Append(name, value);
        response.ContentLength = answer.Body.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await response.Body.WriteAsync(answer.Body, context.RequestAborted);
    }

    private static Task ManifestAsync(HttpContext context, MemoryRepository repository, string reference)
    {
        if (repository.ManifestOrNull(reference) is not { } manifest) return OciError.WriteAsync(context, 404, "no such manifest");
        if (manifest.SaysDigest) context.Response.Headers["Docker-Content-Digest"] = manifest.Digest;
        return WriteAsync(context, new MemoryAnswer(200, manifest.Bytes, manifest.ContentType));
    }

    private static Task BlobAsync(HttpContext context, MemoryRepository repository, string digest)
    {
        if (repository.BlobOrNull(digest) is not { } bytes) return OciError.WriteAsync(context, 404, "no such blob");
        var response = context.Response;
        response.Headers["Docker-Content-Digest"] = digest;
        response.Headers.AcceptRanges = "bytes";
        var ranges = HttpMethods.IsGet(context.Request.Method) ? context.Request.GetTypedHeaders().Range?.Ranges : null;
        if (ranges is not { Count: 1 } || ranges.First() is not { From: { } from } range) return WriteAsync(context, new MemoryAnswer(200, bytes, "application/octet-stream"));
        if (from >= bytes.Length)
        {
            response.Headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{bytes.Length}");
            return WriteAsync(context, new MemoryAnswer(416, [], null));
        }

        var to = Math.Min(range.To ?? long.MaxValue, bytes.Length - 1);
        response.Headers.ContentRange = new ContentRangeHeaderValue(from, to, bytes.Length).ToString();
        return WriteAsync(context, new MemoryAnswer(206, bytes[(int)from..((int)to + 1)], "application/octet-stream"));
    }

    private static Task TagsAsync(HttpContext context, MemoryRepository repository)
    {
        var (page, next) = Page(context, repository.Tags, repository.TagPage);
        var path = context.Request.Path.Value!;
        if (next is not null) context.Response.Headers.Link = $"<{path}?last={Uri.EscapeDataString(next)}>; rel=\"next\"";
        var body = new JsonObject { ["name"] = path["/v2/".Length..^"/tags/list".Length], ["tags"] = new JsonArray([.. page.Select(tag => (JsonNode)tag)]) };
        return WriteAsync(context, new MemoryAnswer(200, JsonSerializer.SerializeToUtf8Bytes(body), "application/json"));
    }

    /// <summary>The entries behind <c>last</c>, in the order they are held; and what the next page comes behind.</summary>
    private static (IReadOnlyList<string> Page, string? Next) Page(HttpContext context, IReadOnlyList<string> all, int? most)
    {
        var last = context.Request.Query["last"].ToString();
        var rest = last.Length == 0 ? all : [.. all.SkipWhile(entry => entry != last).Skip(1)];
        return most is not { } count || rest.Count <= count ? (rest, null) : ([.. rest.Take(count)], rest[count - 1]);
    }

    private static Task ReferrersAsync(HttpContext context, MemoryRepository repository, string digest)
    {
        if (!repository.HasReferrers) return OciError.WriteAsync(context, 404, "no such route");
        var pages = repository.ReferrersOf(digest);
        var number = int.TryParse(context.Request.Query["page"], CultureInfo.InvariantCulture, out var asked) ? asked : 1;
        if (number < pages.Length) context.Response.Headers.Link = string.Create(CultureInfo.InvariantCulture, $"<{NextPage(context.Request, number)}?page={number + 1}>; rel=\"next\"");
        var body = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{string.Join(", ", pages[number - 1])}}]}""";
        return WriteAsync(context, new MemoryAnswer(200, Encoding.UTF8.GetBytes(body), MediaTypes.OciIndex));
    }

    /// <summary>Relative to the page, absolute, and a path, in turn: registries do all three.</summary>
    private static string NextPage(HttpRequest request, int number) => (number % 3) switch
    {
        1 => "",
        2 => $"{request.Scheme}://{request.Host}{request.Path}",
        _ => request.Path,
    };
}
