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
        WriteHead(response.Headers, manifest, from);
        from.Cache.Trace();
        if (IfNoneMatch.Matches(pull.Http.Request.Headers.IfNoneMatch.ToString(), manifest.Digest))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            response.Headers.ContentType = default;
            response.ContentLength = null;
            return Task.CompletedTask;
        }
        return pull.IsHead ? Task.CompletedTask : response.Body.WriteAsync(manifest.Bytes, pull.Aborted).AsTask();
    }

    /// <summary>The headers of a 200.</summary>
    public static void WriteHead(IHeaderDictionary headers, ManifestEntry manifest, Provenance from)
    {
        headers.ETag = manifest.ETag;
        headers["Docker-Content-Digest"] = manifest.Digest.ToString();
        from.WriteTo(headers);
        // What ages is a tag, and it may move; content never does.
        if (from.Age is null) headers.CacheControl = "max-age=31536000";
        headers.ContentType = manifest.MediaType;
        headers.ContentLength = manifest.Bytes.Length;
    }
}
