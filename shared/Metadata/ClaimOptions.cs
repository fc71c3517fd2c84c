namespace Entrepot.Metadata;

/// <summary>Who claims, and what fits into the free slot.</summary>
public sealed record ClaimOptions
{
    /// <summary>The fetcher's name, unique per process start.</summary>
    public required string Owner { get; init; }

    /// <summary>Its own internal base address; empty when readers are in the same process.</summary>
    public required string Address { get; init; }

    /// <summary>Take only small kinds, and blobs known to be under 16 MiB.</summary>
    public bool SmallOnly { get; init; }

    /// <summary>Take prefetches too.</summary>
    public bool AllowPrefetch { get; init; } = true;

    /// <summary>How many fetches of one upstream this owner may run: an upstream that hangs must not take the slots of all others.</summary>
    public int MostOfOneUpstream { get; init; } = int.MaxValue;

    /// <summary>Leave expired leases to their owners: right after the database was away nobody could renew.</summary>
    public bool OnlyQueued { get; init; }

    /// <summary>Fetches to leave alone: those this process still runs although their lease ran out, and those it has no room for.</summary>
    public IReadOnlyCollection<Guid> Except { get; init; } = [];
}
