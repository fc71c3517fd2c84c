using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>The lists of one upstream: tags, referrers.</summary>
internal sealed class ListRequests(UpstreamExchange exchange)
{
    private const int PageSize = 1000;
    private const int MaxPages = 200;
    private const int MaxTags = 100_000;
    private const int MaxTotalBytes = 16 * 1024 * 1024;

    public async Task<UpstreamResult<TagList>> GetTagsAsync(string repository, CancellationToken cancellationToken)
    {
        Arguments.CheckRepository(repository);
        using var slot = await exchange.Slots.AcquireAsync(forBlob: false, cancellationToken);

        var tags = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var bytes = 0;
        var uri = exchange.Upstream.ApiUri($"{repository}/tags/list?n={PageSize}");
        for (var page = 0; page < MaxPages; page++)
        {
            var call = new UpstreamCall(HttpMethod.Get, uri, repository, $"tags of {repository}") { Accept = "application/json" };
            var sent = await exchange.SendAsync(call, cancellationToken);
            if (!sent.IsSuccess)
                return sent.Failure;

            using var reply = sent.Value;
            if (!reply.Response.IsSuccessStatusCode)
                return await exchange.FailAsync(reply, call, cancellationToken);
            if (exchange.FindFault(reply, call, wanted: null) is { } fault)
                return fault;

            var next = LinkHeader.NextOrNull(reply.Response);
            var read = await exchange.ReadAsync(reply, call, MaxTotalBytes - bytes, cancellationToken);
            if (!read.IsSuccess)
                return read.Failure;

            bytes += read.Value.Length;
            var known = tags.Count;
            if (!TryAddTags(read.Value, tags, seen))
                return exchange.Fail(FetchOutcome.Corrupt, $"sent no list of tags as {call.Subject}");
            if (tags.Count > MaxTags)
                break;
            // A page without anything new is a loop, not a page.
            if (next is null || tags.Count == known)
                return new TagList(tags);

            if (!Uri.TryCreate(reply.FinalUri, next, out var target) || target.Scheme != reply.FinalUri.Scheme || target.Authority != reply.FinalUri.Authority)
                return exchange.Fail(FetchOutcome.Corrupt, $"continues the {call.Subject} on another host");
            uri = target;
        }

        return exchange.Fail(FetchOutcome.TooLarge, $"offers more than {MaxTags} tags or {MaxPages} pages as tags of {repository}");
    }

    public async Task<UpstreamResult<ReferrersBody>> GetReferrersAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        Arguments.CheckRepository(repository);
        using var slot = await exchange.Slots.AcquireAsync(forBlob: false, cancellationToken);

        var uri = exchange.Upstream.ApiUri($"{repository}/referrers/{digest}");
        var call = new UpstreamCall(HttpMethod.Get, uri, repository, $"referrers of {repository}@{digest}") { Accept = MediaTypes.OciIndex };
        var sent = await exchange.SendAsync(call, cancellationToken);
        if (!sent.IsSuccess)
            return sent.Failure;

        using var reply = sent.Value;
        var status = (int)reply.Status;
        if (!reply.Response.IsSuccessStatusCode && status is not (400 or 405 or 406 or 501))
            return await exchange.FailAsync(reply, call, cancellationToken);

        // Registries without the API answer in many ways, some with the page of their user interface.
        if (!reply.Response.IsSuccessStatusCode || Replies.FindFault(reply.Response, wanted: null) is not null)
            return exchange.Fail(FetchOutcome.NotFound, $"has no referrers API, it answered {status} for {call.Subject}", status);

        var mediaType = Replies.MediaType(reply.Response);
        var hasMore = LinkHeader.NextOrNull(reply.Response) is not null;
        var read = await exchange.ReadAsync(reply, call, UpstreamClient.MaxManifestBytes, cancellationToken);
        return read.IsSuccess ? new ReferrersBody(read.Value, mediaType, hasMore) : read.Failure;
    }

    private static bool TryAddTags(ReadOnlyMemory<byte> body, List<string> tags, HashSet<string> seen)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                return false;
            // A repository without tags has null there in some registries, and nothing at all in others.
            if (!document.RootElement.TryGetProperty("tags", out var list) || list.ValueKind == JsonValueKind.Null)
                return true;
            if (list.ValueKind != JsonValueKind.Array)
                return false;

            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.String && Tag.TryParse(item.GetString(), out var tag) && seen.Add(tag.ToString()))
                    tags.Add(tag.ToString());
            }

            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
