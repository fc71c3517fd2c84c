using System.Text.Json;
using System.Text.Json.Nodes;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Pull;

/// <summary>What refers to a digest (signatures, SBOMs). Any valid digest has an answer, an empty index if nothing else. Source: OCI distribution-spec v1.1, Listing referrers.</summary>
internal sealed class PullReferrers(PullDocument documents)
{
    public async Task RunAsync(PullRequest pull, Digest digest)
    {
        var (document, from, failure) = await documents.FindAsync(pull, FetchKind.Referrers, digest.ToString());
        if (document is null && failure!.Outcome != FetchOutcome.NotFound)
        {
            await OciErrorResult.WriteAsync(pull.Http, failure, OciErrorCode.NameUnknown);
            return;
        }
        var response = pull.Http.Response;
        var manifests = ReadManifests(document?.Body);
        var type = pull.Http.Request.Query["artifactType"].ToString();
        if (type.Length > 0)
        {
            manifests = [.. manifests.Where(m => m["artifactType"]?.GetValueKind() == JsonValueKind.String && (string?)m["artifactType"] == type)];
            response.Headers["OCI-Filters-Applied"] = "artifactType";
        }
        var body = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray([.. manifests.Select(m => m.DeepClone())]),
        });
        from.WriteTo(pull.Http);
        response.ContentType = MediaTypes.OciIndex;
        response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(pull.Http.Request.Method)) await response.Body.WriteAsync(body, pull.Aborted);
    }

    /// <summary>The descriptors of an index; none of what is no index, whatever an upstream sent.</summary>
    private static List<JsonObject> ReadManifests(byte[]? index)
    {
        if (index is null) return [];
        try
        {
            return JsonNode.Parse(index)?["manifests"] is JsonArray manifests ? [.. manifests.OfType<JsonObject>()] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return [];
        }
    }
}
