namespace Entrepot.Metadata;

/// <content>
/// What a cold blob costs on PostgreSQL, a statement each: a round trip and a transaction less for every one that is saved, for thousands of blobs at a time. SQLite has no
/// statements that write in several tables, and no round trips either; there the same is done step by step.
/// </content>
public sealed partial class FetchQueue
{
    /// <remarks>
    /// What the statement sees as active it updates, and waits for its lock: whoever settles the last source sees ours, or we find the row over and, with it, nothing to return.
    /// Then we look again, and see what was decided meanwhile. Only where it sees nothing active does it insert. An outcome that was written while it waited stands for its time.
    /// </remarks>
    private async Task<FetchJoin> JoinInOneAsync(FetchRequest request, Guid newId, CancellationToken cancellationToken)
    {
        while (true)
            if (await TryJoinInOneAsync(request, newId, cancellationToken) is { } join)
                return join;
    }

    private Task<FetchJoin?> TryJoinInOneAsync(FetchRequest request, Guid newId, CancellationToken cancellationToken) =>
        database.WriteStatementAsync(async (session, token) =>
        {
            var columns = FetchRows.Columns("f");
            var touch = $"wanted_at = CASE WHEN @prefetch THEN f.wanted_at ELSE {Dialect.Now} END, prefetch = f.prefetch AND @prefetch, expected_size = coalesce(f.expected_size, @expected)";
            FetchStatus? status = null;
            FetchSource? refused = null;
            var sources = new List<FetchSource>();
            await session.Sql($"""
                WITH refused AS (
                    SELECT {columns}, {FetchRows.SourceColumns("s", Dialect)} AS remaining
                    FROM fetches f JOIN fetch_sources s ON s.fetch_id = f.id
                    WHERE f.key = @key AND s.upstream = @upstream AND s.repository = @repository AND s.retry_at > {Dialect.Now}
                    ORDER BY s.retry_at DESC LIMIT 1),
                active AS (
                    SELECT id FROM fetches WHERE key = @key AND state IN ('Queued', 'Running')),
                touched AS (
                    UPDATE fetches AS f SET {touch}
                    FROM active WHERE f.id = active.id AND f.state IN ('Queued', 'Running') AND NOT EXISTS (SELECT 1 FROM refused)
                    RETURNING {columns}),
                inserted AS (
                    INSERT INTO fetches AS f (id, key, kind, upstream, reference, trust_domain, state, prefetch, expected_size, progress, fence, queued_at, not_before, wanted_at, traceparent)
                    SELECT @id, @key, @kind, @upstream, @reference, @domain, 'Queued', @prefetch, @expected, 0, 0, {Dialect.Now}, 0, {Dialect.Now}, @traceparent
                    WHERE NOT EXISTS (SELECT 1 FROM refused) AND NOT EXISTS (SELECT 1 FROM active)
                    ON CONFLICT (key) WHERE state IN ('Queued', 'Running') DO UPDATE SET {touch}
                    RETURNING {columns}),
                joined AS (SELECT * FROM touched UNION ALL SELECT * FROM inserted),
                own AS (
                    INSERT INTO fetch_sources (fetch_id, upstream, repository, added_at, failures)
                    SELECT f.id, @upstream, @repository, {Dialect.Now}, 0 FROM joined f
                    ON CONFLICT (fetch_id, upstream, repository) DO UPDATE SET added_at = excluded.added_at, outcome = NULL, message = NULL, settled_at = NULL, retry_at = NULL
                        WHERE fetch_sources.outcome IS NOT NULL AND coalesce(fetch_sources.retry_at, 0) <= {Dialect.Now})
                SELECT FALSE AS is_refused, {columns}, {FetchRows.SourceColumns("s", Dialect)} AS remaining, s.added_at
                FROM joined f LEFT JOIN fetch_sources s ON s.fetch_id = f.id AND NOT (s.upstream = @upstream AND s.repository = @repository)
                UNION ALL
                SELECT TRUE, refused.*, 0 FROM refused
                ORDER BY added_at
                """)
                .With("id", newId).With("key", request.Key).With<Contracts.FetchKind>("kind", request.Kind).With("upstream", request.Upstream).With("repository", request.Repository)
                .With("reference", request.Reference).With("domain", request.TrustDomain).With("prefetch", request.Prefetch)
                .With("expected", request.ExpectedSize).With("traceparent", request.TraceParent)
                .ForEachAsync(row =>
                {
                    status ??= FetchRows.ReadStatus(row, sources, first: 1);
                    if (row.IsDBNull(FetchRows.Width + 1)) return true;
                    var source = FetchRows.ReadSource(row, FetchRows.Width + 1);
                    if (row.GetBoolean(0)) refused = source;
                    sources.Add(source);
                    return true;
                }, token);
            if (status is null) return null;
            if (refused is null) sources.Add(new(request.Upstream, request.Repository, null, null, null));
            return new FetchJoin(status, status.Id == newId, refused);
        }, isRepeatable: true, cancellationToken);

    /// <summary>As <see cref="ClaimAsync"/>.</summary>
    private async Task<ClaimedFetch?> ClaimInOneAsync(ClaimOptions options, CancellationToken cancellationToken)
    {
        if (_clock.Now is null) _clock.Heard(await database.ReadAsync((session, token) => session.Sql($"SELECT {Dialect.Now}").FirstOrDefaultAsync(row => row.GetInt64(0), token), cancellationToken));
        var (claimed, isOneThere) = await TryClaimInOneAsync(options, waits: false, cancellationToken);
        // Joiners may hold the one row for this millisecond: then its doorbell has just rung, so wait for them.
        return claimed is null && isOneThere ? (await TryClaimInOneAsync(options, waits: true, cancellationToken)).Claimed : claimed;
    }

    /// <summary>What was claimed, past rows that are held by somebody or waiting for them a moment; and whether another one that can be was seen, held or not.</summary>
    private Task<(ClaimedFetch? Claimed, bool IsOneThere)> TryClaimInOneAsync(ClaimOptions options, bool waits, CancellationToken cancellationToken) =>
        database.WriteStatementAsync(async (session, token) =>
        {
            ClaimedFetch? claimed = null;
            var isOneThere = false;
            var sources = new List<FetchSource>();
            await ClaimStatement(session, options, $"""
                WITH claimed AS ({(waits ? ClaimSql(options, Dialect.ForUpdate("f"), LockWait) : ClaimSql(options, Dialect.ForUpdateSkipLocked("f")))})
                SELECT c.*, {FetchRows.SourceColumns("s", Dialect)}, EXISTS (SELECT 1 {ClaimableSql(options)} AND f.id IS DISTINCT FROM c.id), {Dialect.Now}
                FROM (SELECT 1) one LEFT JOIN claimed c ON TRUE LEFT JOIN fetch_sources s ON s.fetch_id = c.id AND s.outcome IS NULL
                ORDER BY s.added_at, s.upstream, s.repository
                """).ForEachAsync(row =>
                {
                    isOneThere = row.GetBoolean(ClaimWidth + FetchRows.SourceWidth);
                    _clock.Heard(row.GetInt64(ClaimWidth + FetchRows.SourceWidth + 1));
                    if (row.IsDBNull(0)) return true;
                    claimed ??= ReadClaim(row) with { Sources = sources, MayBeMore = isOneThere };
                    if (!row.IsDBNull(ClaimWidth)) sources.Add(FetchRows.ReadSource(row, ClaimWidth));
                    return true;
                }, token);
            return (claimed, isOneThere);
        }, isRepeatable: false, cancellationToken);

    /// <summary>A condition that is always true, and bounds how long this one statement waits for a lock: without a reference to a row it is looked at once, before the first of them is locked.</summary>
    private static string LockWait => $"AND (SELECT set_config('lock_timeout', '{Milliseconds(FetchTimings.ClaimLockWait)}', TRUE)) IS NOT NULL";

    /// <summary>As <see cref="CommitBlobAsync"/>.</summary>
    private async Task<CommitResult> CommitBlobInOneAsync(Guid id, long fence, string digest, long size, string upstream, string repository, CancellationToken cancellationToken)
    {
        var (done, stored) = await database.WriteStatementAsync((session, token) => session.Sql($"""
            WITH done AS (
                UPDATE fetches SET state = 'Done', outcome = 'Stored', message = NULL, finished_at = {Dialect.Now}, lease_until = NULL, suspected_at = NULL,
                    size = @size, progress = @size, answered_upstream = @upstream, answered_repository = @repository
                WHERE id = @id AND fence = @fence AND state = 'Running' RETURNING id),
            settled AS (
                UPDATE fetch_sources SET outcome = 'Stored', message = NULL, settled_at = {Dialect.Now}, retry_at = NULL, failures = 0
                FROM done WHERE fetch_id = done.id AND upstream = @upstream AND repository = @repository),
            repository AS (
                INSERT INTO repositories (upstream, name) SELECT @upstream, @repository FROM done
                ON CONFLICT (upstream, name) DO UPDATE SET name = excluded.name RETURNING id),
            content AS (
                INSERT INTO repository_contents (repository_id, digest, via) SELECT repository.id, @digest, '{ContentRows.Downloaded}' FROM repository
                ON CONFLICT (repository_id, digest) DO UPDATE SET via = excluded.via WHERE repository_contents.via = '{ContentRows.Confirmed}'),
            blob AS (
                INSERT INTO blobs (digest, size, fence, stored_at) SELECT @digest, @size, @fence, {Dialect.Now} FROM done
                ON CONFLICT (digest) DO NOTHING RETURNING digest),
            used AS (
                INSERT INTO accesses (digest, last_at, count) SELECT @digest, {Dialect.Now}, 0 FROM done WHERE EXISTS (SELECT 1 FROM blobs WHERE digest = @digest)
                ON CONFLICT (digest) DO UPDATE SET last_at = greatest(accesses.last_at, excluded.last_at))
            SELECT (SELECT count(*) FROM done), (SELECT count(*) FROM blob)
            """)
            .With("id", id).With("fence", fence).With("digest", digest).With("size", size).With("upstream", upstream).With("repository", repository)
            .FirstOrDefaultAsync(row => (row.GetInt64(0) > 0, row.GetInt64(1) > 0), token), isRepeatable: false, cancellationToken);
        // Whoever still commits under this fence was waited for; what it wrote only a later statement sees.
        if (!done) return await database.ReadAsync((session, token) => RepeatedAsync(session, digest, fence, token), cancellationToken);
        return stored ? CommitResult.Committed : CommitResult.AlreadyStored;
    }
}
