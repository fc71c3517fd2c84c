using System.Globalization;
using Entrepot.Api.Pull;
using Entrepot.Contracts;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>The one place where an error becomes a status, an OCI code and a body. HEAD gets the same headers and no body.</summary>
internal static class OciErrorResult
{
    /// <summary>A client's mistake, or a refusal of our own.</summary>
    public static Task WriteAsync(HttpContext http, OciError error, int? status = null, TimeSpan? retryAfter = null)
    {
        var body = error.ToUtf8Json();
        var response = http.Response;
        response.StatusCode = status ?? error.Code.StatusCode();
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (response.StatusCode is 503 or 429)
            response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling((retryAfter ?? TimeSpan.FromSeconds(2)).TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return http.Request.Method == HttpMethods.Head ? Task.CompletedTask : response.Body.WriteAsync(body, http.RequestAborted).AsTask();
    }

    /// <summary>How a fetch failed. 404 only when the upstream said so; an outage is 503, a lie of the upstream 502.</summary>
    /// <param name="http">The exchange.</param>
    /// <param name="failure">The outcome for this waiter.</param>
    /// <param name="unknown">What a 404 of the upstream means here: <see cref="OciErrorCode.BlobUnknown"/> or <see cref="OciErrorCode.ManifestUnknown"/>.</param>
    public static Task WriteAsync(HttpContext http, FetchFailure failure, OciErrorCode unknown)
    {
        var (code, status) = failure.Outcome switch
        {
            FetchOutcome.NotFound => (unknown, 404),
            FetchOutcome.Denied => (OciErrorCode.Denied, 403),
            FetchOutcome.RateLimited => (OciErrorCode.TooManyRequests, 429),
            FetchOutcome.Corrupt => (unknown == OciErrorCode.ManifestUnknown ? OciErrorCode.ManifestInvalid : OciErrorCode.DigestInvalid, 502),
            FetchOutcome.TooLarge => (OciErrorCode.SizeInvalid, 502),
            _ => (OciErrorCode.Unavailable, 503),
        };
        failure.Cache.Say(http.Response.Headers);
        return WriteAsync(http, new OciError(code, failure.Message), status, failure.RetryAfter);
    }

    /// <summary>The upstream has not answered in the time a client may wait for headers; the fetch goes on.</summary>
    public static Task WriteStillFetchingAsync(HttpContext http, string what, TimeSpan retryAfter, CacheState cache)
    {
        cache.Say(http.Response.Headers);
        return WriteAsync(http, new OciError(OciErrorCode.Unavailable, $"{what} is still being fetched; try again"), 503, retryAfter);
    }
}
