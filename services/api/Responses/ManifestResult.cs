using Entrepot.Api.Index;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Writes a manifest: the exact bytes and media type, the same headers on GET and HEAD (OCI distribution-spec, Pulling manifests).</summary>
internal static class ManifestResult
{
    public static Task WriteAsync(PullRequest pull, ManifestEntry manifest, Provenance from)
    {
        var response = pull.Http.Response;
        var headers = response.Headers;
        var digest = manifest.Digest.ToString();
        headers.ETag = $"\"{digest}\"";
        headers["Docker-Content-Digest"] = digest;
        from.WriteTo(pull.Http);
        // What ages is a tag, and it may move; content never does.
        if (from.Age is null) headers.CacheControl = "max-age=31536000";
        if (IfNoneMatch.Matches(pull.Http.Request.Headers.IfNoneMatch.ToString(), manifest.Digest))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        response.ContentType = manifest.MediaType;
        response.ContentLength = manifest.Bytes.Length;
        return pull.IsHead ? Task.CompletedTask : response.Body.WriteAsync(manifest.Bytes, pull.Aborted).AsTask();
    }
}
