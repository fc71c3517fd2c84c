namespace Entrepot.Metadata;

/// <summary>
/// The job queue: a row is a job, and the database's word on it is final. Safe for concurrent use by any number of processes.
/// </summary>
/// <remarks>
/// On PostgreSQL (READ COMMITTED) a settlement locks the fetch row in one statement and looks at the sources in a later one, whose snapshot
/// is taken after the lock was got; a join writes to the fetch row and then adds its source, in one statement, so it waits for that lock and
/// sees the row as it then is. So a joiner's source is either seen by the one who settles the last source, or the joiner finds the row over
/// and inserts a new one. Rows are always locked in the order fetch, source, repository, content, tag.
/// </remarks>
public sealed partial class FetchQueue(IDatabase database)
{
    private readonly DatabaseClock _clock = new(database.Dialect);

    private SqlDialect Dialect => database.Dialect;

    /// <summary>
    /// Joins the active fetch of the request's key, or inserts one, and adds the request's repository to those that may be asked.
    /// Idempotent. Call again for the same request only to get a new fetch after the old one ended.
    /// </summary>
    public Task<FetchJoin> JoinAsync(FetchRequest request, CancellationToken cancellationToken)
    {
        var newId = Guid.CreateVersion7();
        if (Dialect.HasRowLocks) return JoinInOneAsync(request, newId, cancellationToken);
        return database.WriteAsync(async (session, token) =>
        {
            // Asked once without any lock, so that a client hammering a missing tag costs a read; and once more below, where it is certain.
            if (await FindRefusalAsync(session, request, token) is { } early) return early;
            var fetch = await InsertOrTouchAsync(session, request, newId, token);
            if (await FindRefusalAsync(session, request, token) is { } refusal)
            {
                session.Discard();
                return refusal;
            }
            var sources = await ReadSourcesAsync(session, fetch.Id, token);
            if (sources.FirstOrDefault(s => s.Upstream == request.Upstream && s.Repository == request.Repository) is not { Outcome: null })
            {
                await AddSourceAsync(session, request, fetch.Id, token);
                sources.RemoveAll(s => s.Upstream == request.Upstream && s.Repository == request.Repository);
                sources.Add(new(request.Upstream, request.Repository, null, null, null));
            }
            return new FetchJoin(fetch with { Sources = sources }, fetch.Id == newId, null);
        }, cancellationToken);
    }

    /// <summary>The fetches that still exist of these, in one query.</summary>
    public Task<IReadOnlyList<FetchStatus>> ReadAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<FetchStatus>>(async (session, token) =>
        {
            var found = new List<FetchStatus>(ids.Count);
            List<FetchSource>? sources = null;
            await session.Sql($"""
                SELECT {FetchRows.Columns("f")}, {FetchRows.SourceColumns("s", Dialect)}
                FROM fetches f LEFT JOIN fetch_sources s ON s.fetch_id = f.id
                WHERE {Dialect.In("f.id", "ids")} ORDER BY f.id, s.added_at, s.upstream, s.repository
                """).WithList("ids", ids).ForEachAsync(row =>
                {
                    if (found.Count == 0 || found[^1].Id != row.GetGuid(0)) found.Add(FetchRows.ReadStatus(row, sources = []));
                    if (!row.IsDBNull(FetchRows.Width)) sources!.Add(FetchRows.ReadSource(row, FetchRows.Width));
                    return true;
                }, token);
            return found;
        }, cancellationToken);

    /// <summary>Says that somebody still waits for these. Written at most once a second per fetch.</summary>
    public Task TouchAsync(IReadOnlyCollection<Guid> ids, CancellationToken cancellationToken) =>
        ids.Count == 0 ? Task.CompletedTask : database.WriteStatementAsync((session, token) =>
            session.Sql($"""
                WITH touched AS (
                    SELECT f.id AS fetch_id FROM fetches f
                    WHERE {Dialect.In("f.id", "ids")} AND f.state IN ('Queued', 'Running')
                        AND (f.prefetch OR f.wanted_at <= {Dialect.Now} - @interval)
                    ORDER BY f.id {Dialect.ForUpdate("f")})
                UPDATE fetches SET wanted_at = {Dialect.Now}, prefetch = FALSE FROM touched WHERE fetches.id = touched.fetch_id
                """)
                .WithList("ids", ids).With("interval", Milliseconds(FetchTimings.TouchInterval)).ExecuteAsync(token), isRepeatable: true, cancellationToken);

    /// <summary>How many active fetches there are, by kind and state: a metric and an autoscaling signal.</summary>
    public Task<IReadOnlyList<QueueLength>> MeasureAsync(CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<QueueLength>>(async (session, token) =>
            await session.Sql($"""
                SELECT kind, state, count(*), {Dialect.Now} - min(queued_at) FROM fetches
                WHERE state IN ('Queued', 'Running') GROUP BY kind, state
                """)
                .ListAsync(row => new QueueLength(Enum.Parse<Contracts.FetchKind>(row.GetString(0)), Enum.Parse<FetchState>(row.GetString(1)),
                    row.GetInt64(2), TimeSpan.FromMilliseconds(row.GetInt64(3))), token), cancellationToken);

    /// <summary>Deletes fetches that ended longer ago than <paramref name="keepFinished"/> (usually <see cref="FetchTimings.KeepFinished"/>), in small batches.</summary>
    /// <returns>How many.</returns>
    public async Task<int> SweepAsync(TimeSpan keepFinished, CancellationToken cancellationToken)
    {
        const int batch = 500;
        for (var swept = 0; ;)
        {
            var deleted = await database.WriteAsync((session, token) => SweepBatchAsync(session, keepFinished, batch, token), cancellationToken);
            swept += deleted;
            if (deleted < batch) return swept;
        }
    }

    private async Task<int> SweepBatchAsync(DbSession session, TimeSpan keepFinished, int batch, CancellationToken cancellationToken)
    {
        var ids = await session.Sql($"""
            DELETE FROM fetches WHERE id IN (
                SELECT f.id FROM fetches f WHERE f.finished_at <= {Dialect.Now} - @keep ORDER BY f.finished_at LIMIT @batch {Dialect.ForUpdateSkipLocked("f")})
            RETURNING id
            """)
            .With("keep", Milliseconds(keepFinished)).With("batch", batch).ListAsync(row => row.GetGuid(0), cancellationToken);
        if (ids.Count > 0)
            await session.Sql($"DELETE FROM fetch_sources WHERE {Dialect.In("fetch_id", "ids")}").WithList("ids", ids).ExecuteAsync(cancellationToken);
        return ids.Count;
    }

    /// <summary>The outcome this source has had for this key a short while ago, if it still stands.</summary>
    private async Task<FetchJoin?> FindRefusalAsync(DbSession session, FetchRequest request, CancellationToken cancellationToken)
    {
        var refused = await session.Sql($"""
            SELECT {FetchRows.Columns("f")}, {FetchRows.SourceColumns("s", Dialect)}
            FROM fetches f JOIN fetch_sources s ON s.fetch_id = f.id
            WHERE f.key = @key AND s.upstream = @upstream AND s.repository = @repository AND s.retry_at > {Dialect.Now}
            ORDER BY s.retry_at DESC LIMIT 1
            """)
            .With("key", request.Key).With("upstream", request.Upstream).With("repository", request.Repository)
            .FirstOrDefaultAsync(row => (Status: FetchRows.ReadStatus(row, []), Source: FetchRows.ReadSource(row, FetchRows.Width)), cancellationToken);
        return refused.Status is null ? null : new(refused.Status with { Sources = [refused.Source] }, false, refused.Source);
    }

    /// <summary>After this the row is locked: nobody settles, finishes or claims it until the unit is committed.</summary>
    private async Task<FetchStatus> InsertOrTouchAsync(DbSession session, FetchRequest request, Guid newId, CancellationToken cancellationToken)
    {
        var status = await session.Sql($"""
            INSERT INTO fetches (id, key, kind, upstream, reference, trust_domain, state, prefetch, expected_size, progress, fence, queued_at, not_before, wanted_at, traceparent)
            VALUES (@id, @key, @kind, @upstream, @reference, @domain, 'Queued', @prefetch, @expected, 0, 0, {Dialect.Now}, 0, {Dialect.Now}, @traceparent)
            ON CONFLICT (key) WHERE state IN ('Queued', 'Running') DO UPDATE SET
                wanted_at = CASE WHEN excluded.prefetch THEN fetches.wanted_at ELSE {Dialect.Now} END,
                prefetch = fetches.prefetch AND excluded.prefetch,
                expected_size = coalesce(fetches.expected_size, excluded.expected_size)
            RETURNING {FetchRows.Columns("fetches")}
            """)
            .With("id", newId).With("key", request.Key).With<Contracts.FetchKind>("kind", request.Kind).With("upstream", request.Upstream)
            .With("reference", request.Reference).With("domain", request.TrustDomain).With("prefetch", request.Prefetch)
            .With("expected", request.ExpectedSize).With("traceparent", request.TraceParent)
            .FirstOrDefaultAsync(row => FetchRows.ReadStatus(row, []), cancellationToken);
        return status!;
    }

    /// <summary>A source that failed before, and whose time is over, is to be asked again, after the others.</summary>
    private Task<int> AddSourceAsync(DbSession session, FetchRequest request, Guid id, CancellationToken cancellationToken) =>
        session.Sql($"""
            INSERT INTO fetch_sources (fetch_id, upstream, repository, added_at, failures) VALUES (@id, @upstream, @repository, {Dialect.Now}, 0)
            ON CONFLICT (fetch_id, upstream, repository) DO UPDATE SET added_at = excluded.added_at, outcome = NULL, message = NULL, settled_at = NULL, retry_at = NULL
            """)
            .With("id", id).With("upstream", request.Upstream).With("repository", request.Repository).ExecuteAsync(cancellationToken);

    private Task<List<FetchSource>> ReadSourcesAsync(DbSession session, Guid id, CancellationToken cancellationToken) =>
        session.Sql($"""
            SELECT {FetchRows.SourceColumns("s", Dialect)} FROM fetch_sources s WHERE s.fetch_id = @id ORDER BY s.added_at, s.upstream, s.repository
            """)
            .With("id", id).ListAsync(row => FetchRows.ReadSource(row, 0), cancellationToken);

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
