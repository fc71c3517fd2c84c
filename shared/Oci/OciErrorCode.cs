namespace Entrepot.Oci;

/// <summary>The error codes this registry answers with. A closed set. Source: OCI distribution-spec v1.1, Error codes; Docker's additions.</summary>
public enum OciErrorCode
{
    /// <summary><c>BLOB_UNKNOWN</c>: the repository has no such blob.</summary>
    BlobUnknown,

    /// <summary><c>MANIFEST_UNKNOWN</c>: the repository has no such manifest or tag.</summary>
    ManifestUnknown,

    /// <summary><c>NAME_UNKNOWN</c>: there is no such repository, upstream or route.</summary>
    NameUnknown,

    /// <summary><c>NAME_INVALID</c>: the repository's name breaks the grammar.</summary>
    NameInvalid,

    /// <summary><c>DIGEST_INVALID</c>: the digest breaks the grammar, or the content does not match it.</summary>
    DigestInvalid,

    /// <summary><c>TAG_INVALID</c>: the tag breaks the grammar.</summary>
    TagInvalid,

    /// <summary><c>MANIFEST_INVALID</c>: what should be a manifest is none.</summary>
    ManifestInvalid,

    /// <summary><c>SIZE_INVALID</c>: the content is longer or shorter than it should be, or over a bound.</summary>
    SizeInvalid,

    /// <summary><c>PAGINATION_NUMBER_INVALID</c>: the <c>n</c> of a list is no number or over its bound.</summary>
    PaginationNumberInvalid,

    /// <summary><c>UNAUTHORIZED</c>: the client must authenticate.</summary>
    Unauthorized,

    /// <summary><c>DENIED</c>: the client, or our upstream credential, may not.</summary>
    Denied,

    /// <summary><c>UNSUPPORTED</c>: the operation is none of ours, such as a push.</summary>
    Unsupported,

    /// <summary><c>TOOMANYREQUESTS</c>: a limit, ours or the upstream's, is used up.</summary>
    TooManyRequests,

    /// <summary><c>UNAVAILABLE</c>: it cannot be answered now; try again.</summary>
    Unavailable,

    /// <summary><c>UNKNOWN</c>: an error of ours.</summary>
    Unknown,
}
