using Entrepot.Contracts;
using Entrepot.Metadata;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

/// <summary>Interleavings that only row locks allow, made on purpose: another transaction holds the row while the queue works.</summary>
[Collection(PostgresCollection.Name)]
public sealed class FetchQueueLockTests(PostgresTestServer server) : DatabaseFacts(server)
{
    [Fact]
    public async Task A_claimer_waits_for_the_joiner_that_holds_the_only_row()
    {
        var id = await JoinAsync(Blob(1));
        var claim = await WhileHeldAsync("UPDATE fetches SET wanted_at = wanted_at + 1", () => Queue.ClaimAsync(By("f1"), None));
        Assert.Equal(id, claim?.Id);
    }

    [Fact]
    public async Task A_claimer_that_waited_in_vain_gets_the_next_row()
    {
        var first = await JoinAsync(Blob(1));
        var second = await JoinAsync(Blob(2));
        var claim = await WhileHeldAsync("UPDATE fetches SET state = CASE WHEN reference = '" + Digest(1) + "' THEN 'Running' ELSE state END, lease_until = 99999999999999", () => Queue.ClaimAsync(By("f1"), None));
        Assert.Equal(second, claim?.Id);
        Assert.Null((await StatusAsync(first)).Owner);
    }

    [Fact]
    public async Task A_joiner_that_waited_while_its_source_failed_gets_that_outcome_and_asks_nobody_again()
    {
        var fetch = await JoinAndClaimAsync(Tag("latest"));
        var now = Database.Dialect.Now;
        var join = await WhileHeldAsync(
            $"WITH failed AS (UPDATE fetches SET state = 'Failed', outcome = 'NotFound', finished_at = {now}) UPDATE fetch_sources SET outcome = 'NotFound', settled_at = {now}, retry_at = {now} + 10000",
            () => Queue.JoinAsync(Tag("latest"), None));
        Assert.Equal((fetch.Id, FetchOutcome.NotFound, false), (join.Status.Id, join.Refused?.Outcome, join.Inserted));
        Assert.Equal(1, await CountAsync("fetches"));
    }

    [Fact]
    public async Task A_joiner_that_waited_while_the_fetch_was_stored_gets_a_new_row()
    {
        var fetch = await JoinAndClaimAsync(Tag("latest"));
        var join = await WhileHeldAsync($"UPDATE fetches SET state = 'Done', outcome = 'Stored', finished_at = {Database.Dialect.Now}", () => Queue.JoinAsync(Tag("latest"), None));
        Assert.True(join.Inserted);
        Assert.NotEqual(fetch.Id, join.Status.Id);
    }

    [Fact]
    public async Task A_commit_that_waited_while_its_lease_was_taken_writes_nothing()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        var commit = await WhileHeldAsync("UPDATE fetches SET fence = fence + 1", () => CommitBlobAsync(fetch));
        Assert.Equal(CommitResult.LeaseLost, commit);
        Assert.Equal((0, 0), (await CountAsync("blobs"), await CountAsync("repository_contents")));
    }

    [Fact]
    public async Task A_renewal_that_waited_while_its_lease_was_taken_renews_nothing()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        var held = await WhileHeldAsync("UPDATE fetches SET fence = fence + 1, owner = 'f2'", () => Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 1)], None));
        Assert.Empty(held);
    }

    /// <summary>Runs the statement in a transaction, lets the work run into its locks, and commits.</summary>
    private async Task<T> WhileHeldAsync<T>(string sql, Func<Task<T>> work)
    {
        Task<T>? blocked = null;
        await Database.WriteAsync(async (session, token) =>
        {
            await session.Sql(sql).ExecuteAsync(token);
            blocked ??= Task.Run(work, token);
            await WaitForBlockedAsync(blocked);
            return 0;
        }, None);
        return await blocked!;
    }

    private async Task WaitForBlockedAsync(Task work)
    {
        for (var deadline = Environment.TickCount64 + 10_000; !work.IsCompleted && Environment.TickCount64 < deadline;)
        {
            var waiting = await Database.ReadAsync((session, token) =>
                session.Sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'").FirstOrDefaultAsync(row => row.GetInt64(0), token), None);
            if (waiting > 0) return;
        }
        Assert.False(work.IsCompleted, "the work did not wait for the lock");
        Assert.Fail("the work was not seen to wait for the lock");
    }
}
