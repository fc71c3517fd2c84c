namespace Entrepot.Oci;

/// <summary>What an <see cref="OciErrorCode"/> is on the wire.</summary>
public static class OciErrorCodes
{
    /// <summary>The code's text in the error JSON, such as <c>BLOB_UNKNOWN</c>.</summary>
    public static string WireText(this OciErrorCode code) => code switch
    {
        OciErrorCode.BlobUnknown => "BLOB_UNKNOWN",
        OciErrorCode.ManifestUnknown => "MANIFEST_UNKNOWN",
        OciErrorCode.NameUnknown => "NAME_UNKNOWN",
        OciErrorCode.NameInvalid => "NAME_INVALID",
        OciErrorCode.DigestInvalid => "DIGEST_INVALID",
        OciErrorCode.TagInvalid => "TAG_INVALID",
        OciErrorCode.ManifestInvalid => "MANIFEST_INVALID",
        OciErrorCode.SizeInvalid => "SIZE_INVALID",
        OciErrorCode.PaginationNumberInvalid => "PAGINATION_NUMBER_INVALID",
        OciErrorCode.Unauthorized => "UNAUTHORIZED",
        OciErrorCode.Denied => "DENIED",
        OciErrorCode.Unsupported => "UNSUPPORTED",
        OciErrorCode.TooManyRequests => "TOOMANYREQUESTS",
        OciErrorCode.Unavailable => "UNAVAILABLE",
        _ => "UNKNOWN",
    };

    /// <summary>
    /// The HTTP status that goes with the code when the fault is the request's own. What an upstream did wrong (an invalid manifest, a
    /// digest that does not match) is a 502 under the same code.
    /// </summary>
    public static int StatusCode(this OciErrorCode code) => code switch
    {
        OciErrorCode.BlobUnknown or OciErrorCode.ManifestUnknown or OciErrorCode.NameUnknown => 404,
        OciErrorCode.NameInvalid or OciErrorCode.DigestInvalid or OciErrorCode.TagInvalid or OciErrorCode.ManifestInvalid
            or OciErrorCode.SizeInvalid or OciErrorCode.PaginationNumberInvalid => 400,
        OciErrorCode.Unauthorized => 401,
        OciErrorCode.Denied => 403,
        OciErrorCode.Unsupported => 405,
        OciErrorCode.TooManyRequests => 429,
        OciErrorCode.Unavailable => 503,
        _ => 500,
    };
}
