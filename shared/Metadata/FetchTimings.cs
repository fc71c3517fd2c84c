namespace Entrepot.Metadata;

/// <summary>The figures of the row protocol. All processes of a cluster must agree on them, so they are not configured.</summary>
public static class FetchTimings
{
    /// <summary>A claim is the owner's for this long after its last renewal.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(10);

    /// <summary>The same for what is one round trip. Nobody reads from its owner, so nobody can miss it: another must still be able to answer within the time that a client is given.</summary>
    public static readonly TimeSpan SmallLease = TimeSpan.FromSeconds(5);

    /// <summary>A suspected fetch whose owner has not renewed for this long may be claimed by another.</summary>
    public static readonly TimeSpan SuspicionGrace = TimeSpan.FromSeconds(2);

    /// <summary>An owner from whom nothing comes, but who has not left either, is suspected only once its last renewal, of one a second, is this old: it may wait for its upstream, or be busy.</summary>
    public static readonly TimeSpan LateRenewal = TimeSpan.FromSeconds(2);

    /// <summary>A claim that the database gets to only after this long takes no fetch from its owner: whoever could not renew meanwhile, because the database stood still, does so now.</summary>
    internal static readonly TimeSpan ClaimGoodFor = TimeSpan.FromSeconds(2);

    /// <summary>How long a claim waits for a row that another transaction holds: joins hold one for a millisecond, a host lost in a transaction until the server notices.</summary>
    internal static readonly TimeSpan ClaimLockWait = TimeSpan.FromSeconds(2);

    /// <summary>How long a finished fetch's outcome stays readable.</summary>
    public static readonly TimeSpan KeepFinished = TimeSpan.FromMinutes(10);

    /// <summary>Blobs under this many bytes, as an upstream or else a manifest told, may take the slots kept for small work.</summary>
    public const long SmallBlobBytes = 16L << 20;

    /// <summary>How long NotFound, Denied, TooLarge, and a RateLimited without word from the upstream, stand.</summary>
    internal static readonly TimeSpan Refusal = TimeSpan.FromSeconds(10);

    /// <summary>The longest time an upstream's own Retry-After is believed.</summary>
    internal static readonly TimeSpan MaxRetryAfter = TimeSpan.FromSeconds(60);

    /// <summary>How long the first Unavailable or Corrupt stands; doubles with each one in a row.</summary>
    internal static readonly TimeSpan FirstBackOff = TimeSpan.FromSeconds(2);

    /// <summary>Where the doubling ends.</summary>
    internal static readonly TimeSpan MaxBackOff = TimeSpan.FromSeconds(30);

    /// <summary>A waiter's interest is written at most this often.</summary>
    internal static readonly TimeSpan TouchInterval = TimeSpan.FromSeconds(1);
}
