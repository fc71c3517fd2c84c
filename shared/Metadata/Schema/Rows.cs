namespace Entrepot.Metadata.Schema;

// The tables as Entity Framework sees them: the schema and its migrations are made from these classes.
// Times are unix milliseconds of the database's clock. Enumerations are stored by name, so that adding a member never renumbers rows.

internal sealed class RepositoryRow
{
    public long Id { get; set; }
    public required string Upstream { get; set; }
    public required string Name { get; set; }
}

/// <summary>A row whose digest is null was purged: it stays for its epoch, so that a fetch that began before the purge cannot write.</summary>
internal sealed class TagRow
{
    public long RepositoryId { get; set; }
    public required string Name { get; set; }
    public string? Digest { get; set; }
    public long CheckedAt { get; set; }
    public long ChangedAt { get; set; }
    public long Epoch { get; set; }
}

internal sealed class ManifestRow
{
    public required string Digest { get; set; }
    public required string MediaType { get; set; }
    public required byte[] Bytes { get; set; }
    public long Size { get; set; }
    public string? Subject { get; set; }
    public string? ArtifactType { get; set; }
    public long StoredAt { get; set; }
}

internal sealed class ManifestReferenceRow
{
    public required string Parent { get; set; }
    public int Position { get; set; }
    public required string Child { get; set; }
    public required string Role { get; set; }
    public long Size { get; set; }
    public required string MediaType { get; set; }
    public string? Platform { get; set; }
}

internal sealed class BlobRow
{
    public required string Digest { get; set; }
    public long Size { get; set; }
    public long Fence { get; set; }
    public long StoredAt { get; set; }
}

internal sealed class RepositoryContentRow
{
    public long RepositoryId { get; set; }
    public required string Digest { get; set; }
    public required string Via { get; set; }
}

internal sealed class DocumentRow
{
    public long RepositoryId { get; set; }
    public required string Kind { get; set; }
    public required string Reference { get; set; }
    public required byte[] Body { get; set; }
    public required string MediaType { get; set; }
    public long CheckedAt { get; set; }
}

internal sealed class AccessRow
{
    public required string Digest { get; set; }
    public long LastAt { get; set; }
    public long Count { get; set; }
}

/// <summary>A fetch: the row is the job. <see cref="Upstream"/> is that of the request that made it (fairness), the answering source is apart.</summary>
internal sealed class FetchRow
{
    public Guid Id { get; set; }
    public required string Key { get; set; }
    public required string Kind { get; set; }
    public required string Upstream { get; set; }
    public required string Reference { get; set; }
    public required string TrustDomain { get; set; }
    public required string State { get; set; }
    public bool Prefetch { get; set; }
    public long? ExpectedSize { get; set; }
    public long? Size { get; set; }
    public long Progress { get; set; }
    public string? AnsweredUpstream { get; set; }
    public string? AnsweredRepository { get; set; }
    public string? Owner { get; set; }
    public string? OwnerAddress { get; set; }
    public long Fence { get; set; }
    public long? ClaimedAt { get; set; }
    public long? LeaseUntil { get; set; }
    public long? SuspectedAt { get; set; }
    public long QueuedAt { get; set; }
    public long NotBefore { get; set; }
    public long WantedAt { get; set; }
    public string? Outcome { get; set; }
    public string? Message { get; set; }
    public long? FinishedAt { get; set; }
    public string? TraceParent { get; set; }
}

internal sealed class FetchSourceRow
{
    public Guid FetchId { get; set; }
    public required string Upstream { get; set; }
    public required string Repository { get; set; }
    public long AddedAt { get; set; }
    public string? Outcome { get; set; }
    public string? Message { get; set; }
    public long? SettledAt { get; set; }
    public long? RetryAt { get; set; }
    public int Failures { get; set; }
}

internal sealed class UploadRow
{
    public required string Digest { get; set; }
    public long Fence { get; set; }
    public string? UploadId { get; set; }
    public long BegunAt { get; set; }
}

/// <summary>The last fence given out, where the database has no sequences (SQLite).</summary>
internal sealed class FenceCounterRow
{
    public int Id { get; set; }
    public long Value { get; set; }
}
