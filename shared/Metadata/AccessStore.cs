namespace Entrepot.Metadata;

/// <summary>Remembers what was used when. Safe for concurrent use; losing a batch is harmless, repeating one only counts twice.</summary>
public sealed class AccessStore(IDatabase database)
{
    /// <summary>
    /// Adds these accesses, each for the digest itself and for everything held that it refers to: index → manifest → config and layers.
    /// Of two times the later stays. A time after the database's now counts as now: one host's wrong clock must not make its content immortal.
    /// </summary>
    public Task RecordAsync(IReadOnlyList<AccessRecord> accesses, CancellationToken cancellationToken)
    {
        if (accesses.Count == 0) return Task.CompletedTask;
        var rows = SqlDialect.Json(accesses, static (json, access) =>
        {
            json.WriteString("digest", access.Digest);
            json.WriteNumber("last_at", access.LastAtMs);
            json.WriteNumber("hits", access.Count);
        });
        var dialect = database.Dialect;
        return database.WriteAsync((session, token) =>
            // UNION, not UNION ALL: a manifest may list the same child thousands of times, and so may that child.
            session.Sql($"""
                WITH RECURSIVE touched(root, digest, last_at, hits) AS (
                    SELECT a.digest, a.digest, a.last_at, a.hits FROM {dialect.Rows("accesses", "a", ("digest", "text"), ("last_at", "bigint"), ("hits", "bigint"))}
                    UNION
                    SELECT t.root, x.child, t.last_at, t.hits FROM touched t JOIN manifest_references x ON x.parent = t.digest)
                INSERT INTO accesses (digest, last_at, count)
                SELECT t.digest, CASE WHEN max(t.last_at) > {dialect.Now} THEN {dialect.Now} ELSE max(t.last_at) END, CAST(sum(t.hits) AS bigint) FROM touched t
                WHERE EXISTS (SELECT 1 FROM blobs b WHERE b.digest = t.digest) OR EXISTS (SELECT 1 FROM manifests m WHERE m.digest = t.digest)
                GROUP BY t.digest ORDER BY t.digest
                ON CONFLICT (digest) DO UPDATE SET last_at = {dialect.Greatest}(accesses.last_at, excluded.last_at), count = accesses.count + excluded.count
                """)
                .With("accesses", rows).ExecuteAsync(token), cancellationToken);
    }
}
