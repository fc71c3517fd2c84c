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

    /// <summary>How many fetches of one upstream this owner may run, without those <see cref="WithoutSlot"/>: an upstream that hangs must not take the slots of all others.</summary>
    public int MostOfOneUpstream { get; init; } = int.MaxValue;

    /// <summary>Leave expired leases of others to their owners: right after the database was away nobody could renew.</summary>
    public bool OnlyQueued { get; init; }

    /// <summary>
    /// What this owner runs: never claimed by it again, however late its leases are. What it does not run although the row says so is claimed like what is queued: the
    /// claim's answer was lost. Null when that is not known: then no running fetch is treated otherwise for being its own.
    /// </summary>
    public IReadOnlyCollection<Guid>? Running { get; init; }

    /// <summary>Fetches of this owner that ask their upstream for nothing any more: they count for no upstream.</summary>
    public IReadOnlyCollection<Guid> WithoutSlot { get; init; } = [];
}
