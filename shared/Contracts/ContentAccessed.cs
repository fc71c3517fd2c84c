namespace Entrepot.Contracts;

/// <summary>What was served lately, batched; losing a batch must be harmless. A manifest's access counts for all it refers to: the janitor touches that closure.</summary>
public sealed record ContentAccessed
{
    /// <summary>One entry per digest.</summary>
    public required IReadOnlyList<ContentAccess> Accesses { get; init; }
}

/// <summary>How often one digest was served, and when last.</summary>
public sealed record ContentAccess
{
    /// <summary>The digest of a manifest or a blob.</summary>
    public required string Digest { get; init; }

    /// <summary>How many responses it was served in since the last batch.</summary>
    public required long Count { get; init; }

    /// <summary>When it was last served.</summary>
    public required DateTimeOffset LastAt { get; init; }
}
