using System.Globalization;
using Entrepot.Api.Index;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Writes a manifest: the exact bytes and media type, the same headers on GET and HEAD (OCI distribution-spec, Pulling manifests).</summary>
internal static class ManifestResult
{
    /// <param name="pull">The request.</param>
    /// <param name="manifest">What is served.</param>
    /// <param name="cache">Where it came from.</param>
    /// <param name="age">For a tag, how long ago its upstream confirmed it.</param>
    public static Task WriteAsync(PullRequest pull, ManifestEntry manifest, CacheState cache, TimeSpan? age)
    {
        var response = pull.Http.Response;
        var headers = response.Headers;
        var digest = manifest.Digest.ToString();
        headers.ETag = $"\"{digest}\"";
        headers["Docker-Content-Digest"] = digest;
        cache.Say(pull.Http);
        if (age is { } seconds) headers.Age = ((long)seconds.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        else headers.CacheControl = "max-age=31536000";
        if (cache == CacheState.Stale) headers.Append("Warning", "299 - \"stale: the upstream did not confirm this tag in time\"");
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
