using System.Data.Common;
using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <content>Claiming, and keeping or losing what was claimed.</content>
public sealed partial class FetchQueue
{
    private const string ClaimColumns = "id, fence, kind, key, reference, trust_domain, prefetch, expected_size, size, progress, traceparent, answered_upstream, answered_repository";
    private const int ClaimWidth = 13;

    /// <summary>
    /// Takes the fetch that should run next: waited-for before prefetch; small kinds before blobs; then the upstream with the fewest
    /// running; then the oldest. Claimable is what is queued, what has an expired lease, what has been suspected for
    /// <see cref="FetchTimings.SuspicionGrace"/> without a renewal, and what is the claimer's by the row alone (<see cref="ClaimOptions.Running"/>).
    /// </summary>
    /// <remarks>
    /// A statement that nobody waits for any more may still lie at a server that stands still, and run when it goes on. From another owner such a late one takes nothing;
    /// what it does take its sender finds at its next claim.
    /// </remarks>
    /// <returns>The fetch with a new fence, leased for <see cref="FetchTimings.Lease"/> or, what is no blob, <see cref="FetchTimings.SmallLease"/>; null when there is none.</returns>
    public async Task<ClaimedFetch?> ClaimAsync(ClaimOptions options, CancellationToken cancellationToken)
    {
        if (Dialect.HasRowLocks) return await ClaimInOneAsync(options, cancellationToken);
        return await database.WriteAsync(async (session, token) =>
        {
            var claimed = await ClaimStatement(session, options, ClaimSql(options, "")).FirstOrDefaultAsync(ReadClaim, token);
            if (claimed is null) return null;
            await session.Sql(Dialect.TakeFence!).ExecuteAsync(token);
            var sources = await ReadSourcesAsync(session, claimed.Id, token);
            return claimed with { Sources = sources.FindAll(s => s.Outcome is null) };
        }, cancellationToken);
    }

    /// <summary>Extends these leases, records progress and clears suspicion.</summary>
    /// <returns>The fetches that are still the owner's.</returns>
    public async Task<IReadOnlySet<Guid>> RenewAsync(string owner, IReadOnlyList<LeaseProgress> leases, CancellationToken cancellationToken)
    {
        if (leases.Count == 0) return new HashSet<Guid>();
        var rows = SqlDialect.Json(leases, static (json, lease) =>
        {
            json.WriteString("fetch_id", SqlDialect.Text(lease.Id));
            json.WriteNumber("held_fence", lease.Fence);
            json.WriteNumber("new_progress", lease.Progress);
        });
        return await database.WriteStatementAsync(async (session, token) =>
            (await WithLeases(session.Sql($"""
                WITH held AS (
                    SELECT l.fetch_id, l.held_fence, l.new_progress
                    FROM fetches f JOIN {Dialect.Rows("leases", "l", ("fetch_id", "uuid"), ("held_fence", "bigint"), ("new_progress", "bigint"))}
                        ON f.id = l.fetch_id AND f.fence = l.held_fence
                    WHERE f.owner = @owner AND f.state = 'Running'
                    ORDER BY f.id {Dialect.ForUpdate("f")})
                UPDATE fetches SET lease_until = {LeaseEnd}, suspected_at = NULL, progress = held.new_progress
                FROM held WHERE fetches.id = held.fetch_id AND fetches.fence = held.held_fence AND fetches.state = 'Running'
                RETURNING id
                """))
                .With("leases", rows).With("owner", owner)
                .ListAsync(row => row.GetGuid(0), token)).ToHashSet(), isRepeatable: true, cancellationToken);
    }

    /// <summary>Says that this owner of a blob's fetch seems to be gone. Only the first word counts, and a renewal takes it back.</summary>
    /// <param name="id">The row.</param>
    /// <param name="fence">The owner's claim.</param>
    /// <param name="unrenewedFor">How long the owner must not have renewed for the word to count: zero when it could not be reached.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task SuspectAsync(Guid id, long fence, TimeSpan unrenewedFor, CancellationToken cancellationToken) =>
        UpdateRunningAsync(id, fence, $"suspected_at = {Dialect.Now}", $"suspected_at IS NULL AND (@unrenewed = 0 OR lease_until <= {Dialect.Now} + @lease - @unrenewed)",
            statement => statement.With("unrenewed", Milliseconds(unrenewedFor)).With("lease", Milliseconds(FetchTimings.Lease)), cancellationToken);

    /// <summary>Records that this source has answered for the fetch, and with how many bytes: now waiters may send their headers.</summary>
    /// <returns>False when the lease is lost.</returns>
    public Task<bool> RecordAnswerAsync(Guid id, long fence, long size, string upstream, string repository, CancellationToken cancellationToken) =>
        UpdateRunningAsync(id, fence, "size = @size, answered_upstream = @upstream, answered_repository = @repository", "TRUE",
            statement => statement.With("size", size).With("upstream", upstream).With("repository", repository), cancellationToken);

    /// <summary>Gives the fetch back to the queue: claimable by anybody after <paramref name="notBefore"/> from now.</summary>
    public Task ReleaseAsync(Guid id, long fence, TimeSpan notBefore, CancellationToken cancellationToken) =>
        UpdateRunningAsync(id, fence, $"state = 'Queued', owner = NULL, owner_address = NULL, lease_until = NULL, suspected_at = NULL, not_before = {Dialect.Now} + @delay", "TRUE",
            statement => statement.With("delay", Milliseconds(notBefore)), cancellationToken);

    /// <summary>
    /// Gives a fetch up that nobody has waited for during <paramref name="abandonAfter"/> and that is less than half done. One
    /// conditional statement: whoever joins at the same time makes it miss, or finds the row over and inserts a new one. No retry window follows.
    /// </summary>
    /// <returns>True when it is given up.</returns>
    public Task<bool> AbandonAsync(Guid id, long fence, TimeSpan abandonAfter, CancellationToken cancellationToken) =>
        UpdateRunningAsync(id, fence,
            $"state = 'Failed', outcome = '{nameof(FetchOutcome.Unavailable)}', message = 'abandoned: nobody waits for it', finished_at = {Dialect.Now}, lease_until = NULL, suspected_at = NULL",
            $"wanted_at <= {Dialect.Now} - @after AND (size IS NULL OR progress * 2 < size)",
            statement => statement.With("after", Milliseconds(abandonAfter)), cancellationToken);

    /// <summary>Puts every running fetch back into the queue at once: for the start of an embedded server, whose one fetcher has just begun.</summary>
    public Task ReclaimAllAsync(CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql("""
            UPDATE fetches SET state = 'Queued', owner = NULL, owner_address = NULL, lease_until = NULL, suspected_at = NULL, not_before = 0 WHERE state = 'Running'
            """).ExecuteAsync(token), cancellationToken);

    /// <summary>The same for what was claimed at this address: for the start of a fetcher, before its first claim.</summary>
    public Task ReclaimAsync(string address, CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql("""
            UPDATE fetches SET state = 'Queued', owner = NULL, owner_address = NULL, lease_until = NULL, suspected_at = NULL, not_before = 0
            WHERE state = 'Running' AND owner_address = @address
            """).With("address", address).ExecuteAsync(token), cancellationToken);

    /// <summary>How long a row is leased: by its kind.</summary>
    private string LeaseEnd => $"{Dialect.Now} + CASE WHEN kind = 'Blob' THEN @lease ELSE @small_lease END";

    private static DbStatement WithLeases(DbStatement statement) =>
        statement.With("lease", Milliseconds(FetchTimings.Lease)).With("small_lease", Milliseconds(FetchTimings.SmallLease));

    private string ClaimSql(ClaimOptions options, string locking, string condition = "") => $"""
        UPDATE fetches SET state = 'Running', owner = @owner, owner_address = @address, fence = {Dialect.NextFence},
            claimed_at = {Dialect.Now}, lease_until = {LeaseEnd}, suspected_at = NULL
        WHERE id = (
            SELECT f.id {ClaimableSql(options)} {condition}
            ORDER BY f.prefetch, CASE WHEN f.kind = 'Blob' THEN 1 ELSE 0 END, coalesce(busy.running, 0), f.queued_at, f.id
            LIMIT 1 {locking})
        RETURNING {ClaimColumns}
        """;

    private string ClaimableSql(ClaimOptions options)
    {
        var now = Dialect.Now;
        return $"""
            FROM fetches f
            LEFT JOIN (SELECT upstream, count(*) AS running, sum(CASE WHEN owner = @owner THEN 1 ELSE 0 END) AS own FROM fetches
                WHERE state = 'Running' {(options.WithoutSlot.Count > 0 ? $"AND NOT ({Dialect.In("id", "without_slot")})" : "")} GROUP BY upstream) busy ON busy.upstream = f.upstream
            WHERE ((f.state = 'Queued' AND f.not_before <= {now})
                    {(options.OnlyQueued ? "" : $"OR (f.state = 'Running' AND (f.lease_until <= {now} OR f.suspected_at <= {now} - @grace){(Dialect.HasRowLocks ? $" AND {now} <= @asked + @good_for" : "")})")}
                    {(FindsLost(options) ? "OR (f.state = 'Running' AND f.owner = @owner AND f.claimed_at <= @asked)" : "")})
                {(options.SmallOnly ? "AND (f.kind <> 'Blob' OR coalesce(f.size, f.expected_size) < @small)" : "")}
                {(options.AllowPrefetch ? "" : "AND NOT f.prefetch")}
                AND coalesce(busy.own, 0) < @share
                {(options.Running is { Count: > 0 } ? $"AND NOT ({Dialect.In("f.id", "running")})" : "")}
            """;
    }

    /// <summary>Where a statement's answer can be lost.</summary>
    private bool FindsLost(ClaimOptions options) => Dialect.HasRowLocks && options.Running is not null;

    private DbStatement ClaimStatement(DbSession session, ClaimOptions options, string sql)
    {
        var statement = WithLeases(session.Sql(sql)).With("owner", options.Owner).With("address", options.Address).With("share", options.MostOfOneUpstream);
        if (!options.OnlyQueued) statement.With("grace", Milliseconds(FetchTimings.SuspicionGrace));
        if (!options.OnlyQueued && Dialect.HasRowLocks) statement.With("good_for", Milliseconds(FetchTimings.ClaimGoodFor));
        if ((!options.OnlyQueued && Dialect.HasRowLocks) || FindsLost(options)) statement.With("asked", _clock.Now);
        if (options.SmallOnly) statement.With("small", FetchTimings.SmallBlobBytes);
        if (options.Running is { Count: > 0 } running) statement.WithList("running", running);
        if (options.WithoutSlot.Count > 0) statement.WithList("without_slot", options.WithoutSlot);
        return statement;
    }

    private static ClaimedFetch ReadClaim(DbDataReader row) => new()
    {
        Id = row.GetGuid(0),
        Fence = row.GetInt64(1),
        Kind = Enum.Parse<FetchKind>(row.GetString(2)),
        Key = row.GetString(3),
        Reference = row.GetString(4),
        TrustDomain = row.GetString(5),
        Prefetch = row.GetBoolean(6),
        ExpectedSize = row.LongOrNull(7),
        Size = row.LongOrNull(8),
        Progress = row.GetInt64(9),
        TraceParent = row.StringOrNull(10),
        AnsweredUpstream = row.StringOrNull(11),
        AnsweredRepository = row.StringOrNull(12),
        Sources = [],
    };

    private Task<bool> UpdateRunningAsync(Guid id, long fence, string changes, string condition, Action<DbStatement> parameters, CancellationToken cancellationToken) =>
        database.WriteStatementAsync(async (session, token) =>
        {
            var statement = session.Sql($"UPDATE fetches SET {changes} WHERE id = @id AND fence = @fence AND state = 'Running' AND {condition}")
                .With("id", id).With("fence", fence);
            parameters(statement);
            return await statement.ExecuteAsync(token) > 0;
        }, isRepeatable: true, cancellationToken);
}
