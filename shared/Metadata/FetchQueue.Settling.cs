using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <content>Failures: source by source, until the last one fails the fetch.</content>
public sealed partial class FetchQueue
{
    /// <summary>The most telling first: what may go better later before what will not, and "not found" only when everybody said so.</summary>
    private static readonly FetchOutcome[] MostTelling =
    [
        FetchOutcome.RateLimited, FetchOutcome.Unavailable, FetchOutcome.Corrupt, FetchOutcome.TooLarge, FetchOutcome.Denied, FetchOutcome.NotFound,
    ];

    /// <summary>
    /// Records that one source has failed. Its own waiters get this outcome; the fetch goes on while another source is left.
    /// For the retry window a new request of this repository gets the recorded outcome: <paramref name="retryAfter"/> when the upstream named
    /// one (at most 60 s); else 10 s, and for Unavailable and Corrupt 2 s doubling to 30 s over failures in a row.
    /// </summary>
    /// <exception cref="InvalidOperationException">The source is not one of this fetch.</exception>
    public Task<SourceSettlement> SettleSourceAsync(Guid id, long fence, string upstream, string repository, FetchOutcome failure, string message, TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        if (failure == FetchOutcome.Stored) throw new ArgumentException("A source that stored is settled by its commit", nameof(failure));
        return SettleAsync(id, fence, (session, key, token) => SettleOneAsync(session, id, key, upstream, repository, failure, message, retryAfter, token), cancellationToken);
    }

    /// <summary>Fails the fetch at once, for every source that has not been settled yet, with this outcome: where none of them may be asked any more.</summary>
    public Task<SourceSettlement> SettleAllAsync(Guid id, long fence, FetchOutcome failure, string message, CancellationToken cancellationToken) =>
        SettleAsync(id, fence, async (session, key, token) =>
        {
            foreach (var source in (await ReadSourcesAsync(session, id, token)).Where(s => s.Outcome is null))
                await SettleOneAsync(session, id, key, source.Upstream, source.Repository, failure, message, null, token);
        }, cancellationToken);

    private Task<SourceSettlement> SettleAsync(Guid id, long fence, Func<DbSession, string, CancellationToken, Task> settle, CancellationToken cancellationToken) =>
        database.WriteAsync<SourceSettlement>(async (session, token) =>
        {
            var key = await session.Sql($"SELECT key FROM fetches WHERE id = @id AND fence = @fence AND state = 'Running' {Dialect.ForUpdate("fetches")}")
                .With("id", id).With("fence", fence).FirstOrDefaultAsync(row => row.GetString(0), token);
            if (key is null) return new SourceSettlement.LeaseLost();
            await settle(session, key, token);

            var sources = await ReadSourcesAsync(session, id, token);
            if (sources.Find(s => s.Outcome is null) is { } next) return new SourceSettlement.Next(next);
            var telling = sources.MinBy(s => Array.IndexOf(MostTelling, s.Outcome!.Value))!;
            await session.Sql($"""
                UPDATE fetches SET state = 'Failed', outcome = @outcome, message = @message, finished_at = {Dialect.Now}, lease_until = NULL, suspected_at = NULL WHERE id = @id
                """)
                .With("outcome", telling.Outcome).With("message", telling.Message).With("id", id).ExecuteAsync(token);
            return new SourceSettlement.FetchFailed(telling.Outcome!.Value);
        }, cancellationToken);

    private async Task SettleOneAsync(
        DbSession session, Guid id, string key, string upstream, string repository, FetchOutcome failure, string message, TimeSpan? retryAfter, CancellationToken cancellationToken)
    {
        var transient = failure is FetchOutcome.Unavailable or FetchOutcome.Corrupt;
        var failures = transient ? 1 + await CountFailuresAsync(session, id, key, upstream, repository, cancellationToken) : 0;
        var window = retryAfter is { } asked ? Min(asked, FetchTimings.MaxRetryAfter) : transient ? BackOff(failures) : FetchTimings.Refusal;
        var settled = await session.Sql($"""
            UPDATE fetch_sources SET outcome = @outcome, message = @message, settled_at = {Dialect.Now}, retry_at = {Dialect.Now} + @window, failures = @failures
            WHERE fetch_id = @id AND upstream = @upstream AND repository = @repository
            """)
            .With<FetchOutcome>("outcome", failure).With("message", message).With("window", Milliseconds(window)).With("failures", failures)
            .With("id", id).With("upstream", upstream).With("repository", repository).ExecuteAsync(cancellationToken);
        if (settled == 0) throw new InvalidOperationException($"{upstream}/{repository} is not a source of fetch {id}");
    }

    /// <summary>How many times in a row this source has been unavailable or corrupt for this key, as far as rows remember (10 min).</summary>
    private static async Task<long> CountFailuresAsync(DbSession session, Guid id, string key, string upstream, string repository, CancellationToken cancellationToken) =>
        await session.Sql("""
            SELECT s.failures FROM fetch_sources s JOIN fetches f ON f.id = s.fetch_id
            WHERE f.key = @key AND s.upstream = @upstream AND s.repository = @repository
                AND (s.settled_at IS NOT NULL OR (s.fetch_id = @id AND s.failures > 0))
            ORDER BY CASE WHEN s.fetch_id = @id AND s.failures > 0 THEN 0 ELSE 1 END, s.settled_at DESC LIMIT 1
            """)
            .With("key", key).With("upstream", upstream).With("repository", repository).With("id", id)
            .FirstOrDefaultAsync(row => row.GetInt64(0), cancellationToken);

    private static TimeSpan BackOff(long failures) =>
        Min(FetchTimings.FirstBackOff * Math.Pow(2, Math.Min(failures - 1, 10)), FetchTimings.MaxBackOff);

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
