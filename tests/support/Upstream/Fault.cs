namespace Entrepot.TestSupport.Upstream;

/// <summary>
/// A fault to be played by an <see cref="UpstreamFront"/>. Positions are positions in the blob, not in one answer: an answer that does
/// not cover the position is left alone and does not use the fault up. So they mean the same for one stream and for parallel ranges.
/// Faults of the body leave HEAD alone.
/// </summary>
public sealed record Fault
{
    private Fault(FaultKind kind) => Kind = kind;

    /// <summary>What goes wrong.</summary>
    public FaultKind Kind { get; }

    internal long? At { get; private init; }

    internal long Count { get; private init; }

    internal int StatusCode { get; private init; }

    internal TimeSpan? RetryAfter { get; private init; }

    internal bool NeedsPosition => Kind is FaultKind.FlipByte or FaultKind.Truncate or FaultKind.Reset or FaultKind.HangMidBody;

    internal bool NeedsEnd => Kind is FaultKind.ExtraByte or FaultKind.ShortBody;

    internal bool NeedsBody => NeedsPosition || NeedsEnd || Kind is FaultKind.NoContentLength or FaultKind.Slow or FaultKind.IgnoreRange;

    /// <summary>Flips one byte, by default the last.</summary>
    public static Fault FlipByte(long? at = null) => new(FaultKind.FlipByte) { At = at };

    /// <summary>One byte more than the blob has; Content-Length agrees.</summary>
    public static Fault ExtraByte() => new(FaultKind.ExtraByte) { Count = 1 };

    /// <summary>Some bytes fewer than the blob has; Content-Length agrees.</summary>
    public static Fault ShortBody(long missing = 1) => new(FaultKind.ShortBody) { Count = missing };

    /// <summary>Closes the connection (FIN) when the bytes before this position are sent.</summary>
    public static Fault Truncate(long at) => new(FaultKind.Truncate) { At = at };

    /// <summary>Resets the connection (RST) when the bytes before this position have been taken by the peer's kernel.</summary>
    public static Fault Reset(long at) => new(FaultKind.Reset) { At = at };

    /// <summary>Takes the request and says nothing until the fault is healed or the peer gives up; then the connection is closed.</summary>
    public static Fault HangBeforeHeaders() => new(FaultKind.HangBeforeHeaders);

    /// <summary>Sends the bytes before this position and then none, until the fault is healed (then the rest comes) or the peer gives up.</summary>
    public static Fault HangMidBody(long at) => new(FaultKind.HangMidBody) { At = at };

    /// <summary>Answers 200 with a page of HTML.</summary>
    public static Fault Html200() => new(FaultKind.Html200);

    /// <summary>Names another digest in Docker-Content-Digest.</summary>
    public static Fault WrongDigestHeader() => new(FaultKind.WrongDigestHeader);

    /// <summary>Answers this status with an OCI error.</summary>
    /// <param name="code">For example 404, 401, 403, 429, 500 or 503.</param>
    /// <param name="retryAfter">Sent as Retry-After in whole seconds.</param>
    public static Fault Status(int code, TimeSpan? retryAfter = null) => new(FaultKind.Status) { StatusCode = code, RetryAfter = retryAfter };

    /// <summary>Sends the body chunked, without Content-Length.</summary>
    public static Fault NoContentLength() => new(FaultKind.NoContentLength);

    /// <summary>Answers a range with 200 and the whole body.</summary>
    public static Fault IgnoreRange() => new(FaultKind.IgnoreRange);

    /// <summary>Closes the connection without an answer.</summary>
    public static Fault Drop() => new(FaultKind.Drop);

    /// <summary>Sends at most so many bytes a second in one answer.</summary>
    public static Fault Slow(long bytesPerSecond) => new(FaultKind.Slow) { Count = bytesPerSecond };
}
