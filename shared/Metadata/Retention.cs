namespace Entrepot.Metadata;

/// <summary>What the janitor asks before it deletes. The row goes first, then the object: a reader that holds a row may find its object gone, and asks again. Safe for concurrent use.</summary>
public sealed class Retention(IDatabase database)
{
    /// <summary>When a blob was last used: a stale access from before its last download does not count against it.</summary>
    private string LastUse => $"{database.Dialect.Greatest}(coalesce((SELECT a.last_at FROM accesses a WHERE a.digest = blobs.digest), 0), blobs.stored_at)";

    private const string IsBeingFetched = "EXISTS (SELECT 1 FROM fetches f WHERE f.state IN ('Queued', 'Running') AND f.kind = 'Blob' AND f.reference = blobs.digest)";

    /// <summary>Bytes of all blobs held.</summary>
    public Task<long> StoredBytesAsync(CancellationToken cancellationToken) =>
        database.ReadAsync((session, token) => session.Sql("SELECT CAST(coalesce(sum(size), 0) AS bigint) FROM blobs").FirstOrDefaultAsync(row => row.GetInt64(0), token), cancellationToken);

    /// <summary>The least recently used blobs that together free this much, oldest first; fewer when the rest was used within <paramref name="minimumAge"/> or is being fetched.</summary>
    public Task<IReadOnlyList<EvictionCandidate>> LeastRecentlyUsedAsync(long bytesToFree, TimeSpan minimumAge, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<EvictionCandidate>>(async (session, token) =>
        {
            var candidates = new List<EvictionCandidate>();
            if (bytesToFree <= 0) return candidates;
            await session.Sql($"""
                SELECT digest, size, fence, last_use FROM (SELECT digest, size, fence, {LastUse} AS last_use FROM blobs WHERE NOT {IsBeingFetched}) idle
                WHERE last_use <= {database.Dialect.Now} - @age ORDER BY last_use, digest
                """)
                .With("age", (long)minimumAge.TotalMilliseconds).ForEachAsync(row =>
                {
                    candidates.Add(new(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)));
                    bytesToFree -= row.GetInt64(1);
                    return bytesToFree > 0;
                }, token);
            return candidates;
        }, cancellationToken);

    /// <summary>Removes the blob's row, unless since it was chosen it was used, replaced, or asked for again.</summary>
    /// <returns>True when the object named by the candidate's fence may be deleted.</returns>
    public Task<bool> EvictAsync(EvictionCandidate candidate, CancellationToken cancellationToken) =>
        database.WriteAsync(async (session, token) =>
        {
            var removed = await session.Sql($"DELETE FROM blobs WHERE digest = @digest AND fence = @fence AND {LastUse} = @lastUse AND NOT {IsBeingFetched}")
                .With("digest", candidate.Digest).With("fence", candidate.Fence).With("lastUse", candidate.LastAtMs).ExecuteAsync(token);
            if (removed == 0) return false;
            await session.Sql("DELETE FROM accesses WHERE digest = @digest").With("digest", candidate.Digest).ExecuteAsync(token);
            return true;
        }, cancellationToken);

    /// <summary>Those of these objects that a blob's row points to; the others are rubbish once no fetch is writing them.</summary>
    public Task<IReadOnlySet<StoredObject>> FindReferencedAsync(IReadOnlyCollection<StoredObject> objects, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlySet<StoredObject>>(async (session, token) =>
        {
            var rows = SqlDialect.Json(objects, static (json, o) =>
            {
                json.WriteString("digest", o.Digest);
                json.WriteNumber("fence", o.Fence);
            });
            return (await session.Sql($"""
                SELECT b.digest, b.fence FROM {database.Dialect.Rows("objects", "o", ("digest", "text"), ("fence", "bigint"))}
                JOIN blobs b ON b.digest = o.digest AND b.fence = o.fence
                """)
                .With("objects", rows).ListAsync(row => new StoredObject(row.GetString(0), row.GetInt64(1)), token)).ToHashSet();
        }, cancellationToken);

    /// <summary>Those of these fetches that are queued or running: their spools and objects are in use.</summary>
    public Task<IReadOnlySet<Guid>> FindActiveAsync(IReadOnlyCollection<Guid> fetchIds, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlySet<Guid>>(async (session, token) =>
            (await session.Sql($"SELECT f.id FROM fetches f WHERE {database.Dialect.In("f.id", "ids")} AND f.state IN ('Queued', 'Running')")
                .WithList("ids", fetchIds).ListAsync(row => row.GetGuid(0), token)).ToHashSet(), cancellationToken);

    /// <summary>
    /// The fences of the running fetches of these digests: their objects may be about to become a blob's. To be asked before
    /// <see cref="FindReferencedAsync"/>: the other way round, an object committed between the two questions looks like rubbish.
    /// </summary>
    public Task<IReadOnlySet<StoredObject>> FindBeingWrittenAsync(IReadOnlyCollection<string> digests, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlySet<StoredObject>>(async (session, token) =>
            (await session.Sql($"SELECT f.reference, f.fence FROM fetches f WHERE f.state = 'Running' AND f.kind = 'Blob' AND {database.Dialect.In("f.reference", "digests")}")
                .WithList("digests", digests).ListAsync(row => new StoredObject(row.GetString(0), row.GetInt64(1)), token)).ToHashSet(), cancellationToken);
}
