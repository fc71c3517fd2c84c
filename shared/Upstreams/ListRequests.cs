using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>The lists of one upstream: tags, referrers.</summary>
internal sealed class ListRequests(UpstreamExchange exchange)
{
    private const int PageSize = 1000;
    private const int MaxPages = 200;
    private const int MaxEntries = 100_000;
    private const int MaxTotalBytes = 16 * 1024 * 1024;

    public async Task<UpstreamResult<TagList>> GetTagsAsync(string repository, CancellationToken cancellationToken)
    {
        Arguments.CheckRepository(repository);
        var tags = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var call = new UpstreamCall(HttpMethod.Get, exchange.Upstream.ApiUri($"{repository}/tags/list?n={PageSize}"), repository, $"tags of {repository}")
        {
            Accept = "application/json",
        };
        return await WalkAsync(call, body => TryAddTags(body, tags, seen), () => tags.Count, lacksApi: null, cancellationToken) is { } failure ? failure : new TagList(tags);
    }

    public async Task<UpstreamResult<ReferrerList>> GetReferrersAsync(string repository, Digest digest, CancellationToken cancellationToken)
    {
        Arguments.CheckRepository(repository);
        var referrers = new List<Referrer>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var call = new UpstreamCall(HttpMethod.Get, exchange.Upstream.ApiUri($"{repository}/referrers/{digest}"), repository, $"referrers of {repository}@{digest}")
        {
            Accept = MediaTypes.OciIndex,
        };
        return await WalkAsync(call, TryAdd, () => referrers.Count, LacksReferrers, cancellationToken) is { } failure ? failure : new ReferrerList(referrers);

        bool TryAdd(ReadOnlyMemory<byte> body)
        {
            if (!ReferrersIndex.TryRead(body, out var page))
                return false;
            referrers.AddRange(page.Where(referrer => seen.Add(referrer.Digest)));
            return true;
        }
    }

    /// <summary>Registries without the API answer in many ways, some with the page of their user interface. 404 is said by some of them too, and is NotFound anyway.</summary>
    private static bool LacksReferrers(HttpResponseMessage response) =>
        (int)response.StatusCode is 400 or 405 or 406 or 501 || (response.IsSuccessStatusCode && Replies.IsHtml(response));

    /// <summary>Asks for all pages of a list, bounded in pages, entries and bytes; null when they have all been added.</summary>
    /// <param name="first">The call for the first page; the upstream's links lead to the others.</param>
    /// <param name="tryAdd">Adds a page; false when it is no such list.</param>
    /// <param name="count">How many entries there are by now.</param>
    /// <param name="lacksApi">Whether the answer to the first page means that this upstream has no such list at all.</param>
    /// <param name="cancellationToken">Ends the waiting with an exception.</param>
    private async Task<UpstreamFailure?> WalkAsync(
        UpstreamCall first, Func<ReadOnlyMemory<byte>, bool> tryAdd, Func<int> count, Func<HttpResponseMessage, bool>? lacksApi, CancellationToken cancellationToken)
    {
        using var slot = await exchange.Slots.AcquireAsync(forBlob: false, cancellationToken);
        var call = first;
        var asked = new HashSet<Uri>();
        var bytes = 0;
        while (asked.Count < MaxPages)
        {
            asked.Add(call.Uri);
            var sent = await exchange.SendAsync(call, cancellationToken);
            if (!sent.IsSuccess)
                return sent.Failure;

            using var reply = sent.Value;
            if (asked.Count == 1 && lacksApi is not null && lacksApi(reply.Response))
                return exchange.Fail(FetchOutcome.NotFound, $"has no API for the {call.Subject}, it answered {(int)reply.Status}", (int)reply.Status);
            if (!reply.Response.IsSuccessStatusCode)
            {
                var refused = await exchange.FailAsync(reply, call, cancellationToken);
                // Of a list whose beginning is there, a page that is not is no absence.
                return asked.Count > 1 && refused.Outcome == FetchOutcome.NotFound ? refused with { Outcome = FetchOutcome.Unavailable } : refused;
            }

            if (exchange.FindFault(reply, call, wanted: null) is { } fault)
                return fault;

            var next = LinkHeader.NextOrNull(reply.Response);
            var read = await exchange.ReadAsync(reply, call, MaxTotalBytes - bytes, cancellationToken);
            if (!read.IsSuccess)
                return read.Failure.Outcome == FetchOutcome.TooLarge ? exchange.Fail(FetchOutcome.TooLarge, $"offers more than {MaxTotalBytes} bytes as {call.Subject}") : read.Failure;

            bytes += read.Value.Length;
            if (!tryAdd(read.Value))
                return exchange.Fail(FetchOutcome.Corrupt, $"sent no list as {call.Subject}");
            if (count() > MaxEntries)
                break;
            if (next is null)
                return null;

            if (!Uri.TryCreate(reply.FinalUri, next, out var target) || target.Scheme != reply.FinalUri.Scheme || target.Authority != reply.FinalUri.Authority)
                return exchange.Fail(FetchOutcome.Corrupt, $"continues the {call.Subject} on another host");
            // A page that was read already is a loop, not a page: registries that know no pages, but link to one.
            if (asked.Contains(target))
                return null;
            call = call with { Uri = target };
        }

        return exchange.Fail(FetchOutcome.TooLarge, $"offers more than {MaxEntries} entries or {MaxPages} pages as {first.Subject}");
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
