namespace Entrepot.Contracts;

/// <summary>How a fetch, or one source of it, ended. A closed set: it is mapped to an OCI error code and a status in one place of the api.</summary>
public enum FetchOutcome
{
    /// <summary>What was asked for is verified and stored (or, for a link, confirmed).</summary>
    Stored,

    /// <summary>The upstream said 404. Never used for an outage.</summary>
    NotFound,

    /// <summary>The upstream refused our credential (401 or 403).</summary>
    Denied,

    /// <summary>The upstream answered 429.</summary>
    RateLimited,

    /// <summary>The upstream's bytes are not what the digest, the size or the media type says.</summary>
    Corrupt,

    /// <summary>The upstream could not be reached, timed out, or answered 5xx.</summary>
    Unavailable,

    /// <summary>What the upstream offers is over a configured bound.</summary>
    TooLarge,
}
