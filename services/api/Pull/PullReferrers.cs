using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// What refers to a digest (signatures, SBOMs): the upstream's list in its order, then what we hold beside it. Any valid digest has an answer, an
/// empty index if nothing else; but an outage must not look like "no signatures". Source: OCI distribution-spec v1.1, Listing Referrers.
/// </summary>
internal sealed class PullReferrers(PullDocument documents, Holdings holdings, ContentIndex index, ILogger<PullReferrers> log)
{
    /// <summary>Clients read an index as they read a manifest: 4 MiB at most, of which this leaves room for the index's own fields.</summary>
    private const int MaxPageBytes = (4 * 1024 * 1024) - 1024;

    public async Task RunAsync(PullRequest pull, Digest digest)
    {
        // 1 What the upstream lists, now or when it was last asked.
        var (document, origin, failure) = await documents.FindAsync(pull, FetchKind.Referrers, digest.ToString());
        var isUnasked = document is null && failure!.Outcome != FetchOutcome.NotFound;
        var listed = document?.Referrers ?? [];

        // 2 That and what is held, of the types asked for.
        var query = pull.Http.Request.Query;
        string[] types = [.. query["artifactType"].OfType<string>().Where(type => type.Length > 0)];
        var (page, hasMore) = await ReadPageAsync(MergeAsync(pull, digest, listed, types), query["last"].ToString());
        if (isUnasked && page.Count == 0)
        {
            await OciErrorResult.WriteAsync(pull.Http, failure!, OciErrorCode.NameUnknown);
            return;
        }

        // 3 Answer.
        var response = pull.Http.Response;
        if (isUnasked)
        {
            log.ListServedStale(FetchKind.Referrers, pull.Upstream.Name, pull.Repository, failure!.Message);
            origin = new Provenance(CacheState.Stale, null, "the upstream could not be asked for referrers; these are the held ones");
        }
        origin.WriteTo(pull.Http.Response.Headers);
        origin.Cache.Trace();
        if (types.Length > 0) response.Headers["OCI-Filters-Applied"] = "artifactType";
        if (hasMore) response.Headers.Link = LinkBehind(pull, page[^1].Digest, types);
        response.ContentType = MediaTypes.OciIndex;
        await ArrayBody.WriteAsync(pull.Http, ReferrersIndex.Before, page, referrer => referrer.Json.Length, (referrer, json) => referrer.Json.Span.CopyTo(json), ReferrersIndex.After);
    }

    private async IAsyncEnumerable<Referrer> MergeAsync(PullRequest pull, Digest subject, IReadOnlyList<Referrer> listed, string[] types)
    {
        foreach (var referrer in listed)
            if (IsWanted(referrer.ArtifactType, types)) yield return referrer;

        var beside = await holdings.ListReferrersAsync(pull.Upstream.Name, pull.Repository, subject.ToString(), pull.Aborted);
        var known = beside.Count == 0 ? [] : listed.Select(referrer => referrer.Digest).ToHashSet(StringComparer.Ordinal);
        foreach (var held in beside)
        {
            if (known.Contains(held.Digest) || !IsWanted(held.ArtifactType, types)) continue;
            // Null is one that this repository may not serve, or that was evicted meanwhile.
            if (await index.FindManifestOrNullAsync(new ContentKey(pull.Upstream.Name, pull.Repository, held.Digest), pull.Aborted) is not { } manifest) continue;
            var parsed = ManifestReader.Read(manifest.Bytes, manifest.MediaType);
            yield return Referrer.Of(held.Digest, manifest.MediaType, manifest.Bytes.Length, parsed.ArtifactType, parsed.Annotations);
        }
    }

    private static bool IsWanted(string? artifactType, string[] types) => types.Length == 0 || types.Contains(artifactType, StringComparer.Ordinal);

    /// <summary>As many entries behind <paramref name="last"/> as fit, at least one; from the start when that entry is no more.</summary>
    private static async Task<(List<Referrer> Page, bool HasMore)> ReadPageAsync(IAsyncEnumerable<Referrer> all, string last)
    {
        var page = new List<Referrer>();
        var (bytes, isFull, isSought) = (0, false, last.Length > 0);
        await foreach (var referrer in all)
        {
            if (isSought && referrer.Digest == last)
            {
                (bytes, isFull, isSought) = (0, false, false);
                page.Clear();
                continue;
            }

            isFull = isFull || (page.Count > 0 && bytes + referrer.Json.Length + 1 > MaxPageBytes);
            if (isFull && !isSought) break;
            if (isFull) continue;
            page.Add(referrer);
            bytes += referrer.Json.Length + 1;
        }

        return (page, isFull);
    }

    /// <summary>The link keeps the path, and the <c>ns</c>, that the client used.</summary>
    private static string LinkBehind(PullRequest pull, string last, string[] types)
    {
        var request = pull.Http.Request;
        var ns = request.Query["ns"].ToString();
        var kept = string.Concat(types.Select(type => "&artifactType=" + Uri.EscapeDataString(type)));
        return $"<{request.Path.ToUriComponent()}?last={Uri.EscapeDataString(last)}{kept}{(ns.Length > 0 ? "&ns=" + Uri.EscapeDataString(ns) : "")}>; rel=\"next\"";
    }
}
