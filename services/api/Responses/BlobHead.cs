using System.Globalization;
using Entrepot.Api.Index;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Status and headers of a blob response, and which bytes follow (OCI distribution-spec, Pulling blobs; RFC 9110 §14).</summary>
internal static class BlobHead
{
    private const string MediaType = "application/octet-stream";

    /// <summary>The headers of a 200 with a whole blob that is held in memory.</summary>
    public static void WriteWhole(IHeaderDictionary headers, BlobEntry blob)
    {
        WriteCommon(headers, blob.Digest.ToString(), blob.ETag, CacheState.Hit);
        headers.ContentType = MediaType;
        headers.ContentLength = blob.Size;
    }

    /// <summary>The stretch of the blob that the response begins with; null when it has no body.</summary>
    public static (long Start, long End)? FirstStretch(PullRequest pull, Digest digest, long size)
    {
        if (pull.IsHead || size == 0 || IfNoneMatch.Matches(pull.Http.Request.Headers.IfNoneMatch.ToString(), digest)) return null;
        return RangesOf(pull, digest.ToString(), size) switch
        {
            ByteRanges.Unsatisfiable => null,
            ByteRanges.Satisfiable { Ranges: [var (start, length), ..] } => (start, start + length),
            _ => (0, size),
        };
    }

    /// <summary>
    /// Whether any other server that has the blob answers this request with the same bytes. Not when a condition is in it, which means our ETag; nor several ranges, which
    /// S3 knows nothing of; nor a credential, which clients may pass on to a neighbouring host, and S3 refuses one beside a signed URL.
    /// </summary>
    public static bool IsTheSameElsewhere(PullRequest pull, Digest digest, long size)
    {
        var headers = pull.Http.Request.Headers;
        if (pull.IsHead || headers.Authorization.Count + headers.IfMatch.Count + headers.IfNoneMatch.Count + headers.IfModifiedSince.Count + headers.IfUnmodifiedSince.Count + headers.IfRange.Count > 0)
            return false;
        return headers.Range.Count == 0 || (!headers.Range.ToString().Contains(',', StringComparison.Ordinal) && RangesOf(pull, digest.ToString(), size) is ByteRanges.Satisfiable);
    }

    /// <summary>Sends the client to the store (307). The URL counts for this client and for some minutes: nobody may keep it.</summary>
    public static void WriteRedirect(PullRequest pull, Digest digest, Uri url, CacheState cache)
    {
        var response = pull.Http.Response;
        response.StatusCode = StatusCodes.Status307TemporaryRedirect;
        response.Headers.Location = url.AbsoluteUri;
        response.Headers["Docker-Content-Digest"] = digest.ToString();
        response.Headers.CacheControl = "no-store";
        response.ContentLength = 0;
        cache.Say(response.Headers);
        cache.Trace();
    }

    /// <summary>Writes the headers for the request's Range against the blob's size.</summary>
    /// <returns>The parts of the body in order; none for HEAD, 304 and 416.</returns>
    public static BlobBody Write(PullRequest pull, Digest digest, long size, CacheState cache)
    {
        var (request, response) = (pull.Http.Request, pull.Http.Response);
        var headers = response.Headers;
        var text = digest.ToString();
        WriteCommon(headers, text, $"\"{text}\"", cache);
        cache.Trace();
        if (IfNoneMatch.Matches(request.Headers.IfNoneMatch.ToString(), digest))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return BlobBody.None;
        }
        response.ContentType = MediaType;

        switch (RangesOf(pull, text, size))
        {
            case ByteRanges.Unsatisfiable:
                response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
                headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes */{size}");
                response.ContentType = null;
                response.ContentLength = 0;
                return BlobBody.None;
            case ByteRanges.Satisfiable { Ranges: [var (start, length)] }:
                response.StatusCode = StatusCodes.Status206PartialContent;
                headers.ContentRange = string.Create(CultureInfo.InvariantCulture, $"bytes {start}-{start + length - 1}/{size}");
                response.ContentLength = length;
                return new BlobBody([new BodyPart(null, start, length)], null);
            case ByteRanges.Satisfiable many:
                response.StatusCode = StatusCodes.Status206PartialContent;
                var body = BlobBody.Multipart(many.Ranges, size);
                response.ContentType = $"multipart/byteranges; boundary={body.Boundary}";
                response.ContentLength = body.Length;
                return body;
            default:
                response.ContentLength = size;
                return pull.IsHead ? BlobBody.None : new BlobBody([new BodyPart(null, 0, size)], null);
        }
    }

    /// <summary>What the request asks for. HEAD ignores Range; a Range under an If-Range that names other content is ignored too.</summary>
    private static ByteRanges RangesOf(PullRequest pull, string digest, long size)
    {
        var headers = pull.Http.Request.Headers;
        var ifRange = headers.IfRange.ToString();
        return ByteRanges.Parse(pull.IsHead || (ifRange.Length > 0 && ifRange.Trim('"') != digest) ? null : headers.Range.ToString(), size);
    }

    private static void WriteCommon(IHeaderDictionary headers, string digest, string eTag, CacheState cache)
    {
        headers.ETag = eTag;
        headers["Docker-Content-Digest"] = digest;
        headers.AcceptRanges = "bytes";
        headers.CacheControl = "max-age=31536000, immutable";
        cache.Say(headers);
    }
}
