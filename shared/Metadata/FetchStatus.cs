using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>A fetch row as it was when read. Finished ones stay readable for ten minutes.</summary>
public sealed record FetchStatus
{
    /// <summary>The surrogate id. A finished row is never reused.</summary>
    public required Guid Id { get; init; }

    /// <summary>What is fetched.</summary>
    public required FetchKind Kind { get; init; }

    /// <summary>The job key (<see cref="FetchRequest.Key"/>).</summary>
    public required string Key { get; init; }

    /// <summary>The digest, tag or list reference.</summary>
    public required string Reference { get; init; }

    /// <summary>The trust domain of the request that made it.</summary>
    public required string TrustDomain { get; init; }

    /// <summary>Where it stands.</summary>
    public required FetchState State { get; init; }

    /// <summary>Who runs it; null when queued. After the end: who ran it last.</summary>
    public required string? Owner { get; init; }

    /// <summary>Where the owner serves it, empty when in this process; null when queued.</summary>
    public required string? OwnerAddress { get; init; }

    /// <summary>The fence of the last claim, 0 before the first. A greater one is another owner.</summary>
    public required long Fence { get; init; }

    /// <summary>Bytes as the upstream answered; null until an upstream has answered for it.</summary>
    public required long? Size { get; init; }

    /// <summary>Bytes as a manifest promised, when known.</summary>
    public required long? ExpectedSize { get; init; }

    /// <summary>The upstream that answered last, or null.</summary>
    public required string? AnsweredUpstream { get; init; }

    /// <summary>The repository that answered last, or null.</summary>
    public required string? AnsweredRepository { get; init; }

    /// <summary>Bytes received, as of the last renewal.</summary>
    public required long Progress { get; init; }

    /// <summary>How the whole fetch ended; a waiter goes by its own source where that is settled.</summary>
    public required FetchOutcome? Outcome { get; init; }

    /// <summary>What went wrong, for people.</summary>
    public required string? Message { get; init; }

    /// <summary>Nobody has waited for it so far.</summary>
    public required bool Prefetch { get; init; }

    /// <summary>Who may be asked, in the order they were added.</summary>
    public required IReadOnlyList<FetchSource> Sources { get; init; }
}
