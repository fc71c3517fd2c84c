using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>A fetch that is now the claimer's, until its lease ends.</summary>
public sealed record ClaimedFetch
{
    /// <summary>The row's id.</summary>
    public required Guid Id { get; init; }

    /// <summary>The fencing counter of this claim: greater than every one given before to any fetch, so it may name objects in the store.</summary>
    public required long Fence { get; init; }

    /// <summary>What to fetch.</summary>
    public required FetchKind Kind { get; init; }

    /// <summary>The job key.</summary>
    public required string Key { get; init; }

    /// <summary>The digest, tag or list reference.</summary>
    public required string Reference { get; init; }

    /// <summary>The trust domain of the request that made it.</summary>
    public required string TrustDomain { get; init; }

    /// <summary>Nobody waits for it.</summary>
    public required bool Prefetch { get; init; }

    /// <summary>Bytes as a manifest promised, when known.</summary>
    public required long? ExpectedSize { get; init; }

    /// <summary>Bytes as an upstream answered to an earlier owner, when one did.</summary>
    public required long? Size { get; init; }

    /// <summary>The upstream that answered to an earlier owner, when one did.</summary>
    public string? AnsweredUpstream { get; init; }

    /// <summary>The repository it was asked through.</summary>
    public string? AnsweredRepository { get; init; }

    /// <summary>Bytes an earlier owner had when it last renewed.</summary>
    public required long Progress { get; init; }

    /// <summary>W3C trace context of the request that made it.</summary>
    public required string? TraceParent { get; init; }

    /// <summary>False when nothing else could have been claimed with the same options: then there is no need to ask.</summary>
    public bool MayBeMore { get; init; } = true;

    /// <summary>Who is still to be asked, in order; never empty.</summary>
    public required IReadOnlyList<FetchSource> Sources { get; init; }
}
