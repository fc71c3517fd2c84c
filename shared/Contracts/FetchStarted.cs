namespace Entrepot.Contracts;

/// <summary>A fetcher has claimed a fetch. Published by the owner after the claim is committed.</summary>
public sealed record FetchStarted
{
    /// <summary>The id of the fetch row.</summary>
    public required Guid FetchId { get; init; }

    /// <summary>The fencing counter of this claim; a later owner has a greater one.</summary>
    public required long Fence { get; init; }

    /// <summary>Where the owner serves the running fetch: its own internal base address, or empty when it runs in the same process.</summary>
    public required string Address { get; init; }
}
