namespace Entrepot.Contracts;

/// <summary>A fetch, or one source of it, has its outcome. The row holds the same until it is swept (10 min later).</summary>
public sealed record FetchFinished
{
    /// <summary>The id of the fetch row.</summary>
    public required Guid FetchId { get; init; }

    /// <summary>The name of a <see cref="FetchKind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The upstream's configured name, such as <c>docker.io</c>.</summary>
    public required string Upstream { get; init; }

    /// <summary>The repository at the upstream, such as <c>library/nginx</c>.</summary>
    public required string Repository { get; init; }

    /// <summary>The tag or digest that was fetched.</summary>
    public required string Reference { get; init; }

    /// <summary>The name of a <see cref="FetchOutcome"/>.</summary>
    public required string Outcome { get; init; }

    /// <summary>The fence of the claim that came to it: less than the row's from a fetcher that has lost the row and does not know it yet. Null from one that does not say.</summary>
    public long? Fence { get; init; }
}
