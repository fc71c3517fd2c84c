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
    public async Task A_commit_repeated_while_the_first_one_is_still_being_written_finds_what_that_wrote()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        var commit = await WhileHeldAsync(
            $"WITH done AS (UPDATE fetches SET state = 'Done', outcome = 'Stored' RETURNING reference, fence) INSERT INTO blobs (digest, size, fence, stored_at) SELECT reference, 100, fence, 1 FROM done",
            () => CommitBlobAsync(fetch));
        Assert.Equal(CommitResult.Committed, commit);
    }

    [Fact]
    public async Task A_source_that_failed_while_its_joiner_waited_is_not_asked_again()
    {
        await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: "library/other"));
        var fetch = await ClaimAsync();
        var now = Database.Dialect.Now;
        await WhileHeldAsync(
            $"WITH touched AS (UPDATE fetches SET progress = 0) UPDATE fetch_sources SET outcome = 'NotFound', settled_at = {now}, retry_at = {now} + 10000 WHERE repository = '{Nginx}'",
            () => Queue.JoinAsync(Blob(1), None));
        Assert.Equal([FetchOutcome.NotFound, null], (await StatusAsync(fetch.Id)).Sources.Select(s => s.Outcome));
        Assert.Equal(FetchOutcome.NotFound, (await Queue.JoinAsync(Blob(1), None)).Refused?.Outcome);
    }

    [Fact]
    public async Task A_claim_that_the_database_gets_to_late_takes_nothing_from_its_owner_and_the_next_one_does()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        var late = await WhileHeldAsync(["LOCK TABLE fetches IN ACCESS EXCLUSIVE MODE", "UPDATE fetches SET lease_until = 1"], () => Queue.ClaimAsync(By("f2"), None), "SELECT pg_sleep(2.1)");
        Assert.Null(late);
        Assert.Equal(fetch.Id, (await ClaimAsync("f2")).Id);
    }

    [Fact]
    public async Task A_claim_that_the_database_gets_to_late_takes_what_is_queued_and_its_sender_finds_it()
    {
        var id = await JoinAsync(Blob(1));
        Assert.Null(await Queue.ClaimAsync(By("f1") with { AllowPrefetch = false, SmallOnly = true, Running = [] }, None));
        var late = await WhileHeldAsync(["LOCK TABLE fetches IN ACCESS EXCLUSIVE MODE"], () => Queue.ClaimAsync(By("f1") with { Running = [] }, None), "SELECT pg_sleep(2.1)");
        Assert.Equal(id, late?.Id);
        Assert.True((await Queue.ClaimAsync(By("f1") with { Running = [] }, None))!.Fence > late!.Fence);
    }

    [Fact]
    public async Task What_a_claim_took_whose_answer_was_lost_is_its_owners_to_claim_again_at_once_and_nobody_elses()
    {
        var (running, lost) = (await JoinAndClaimAsync(Blob(1)), await JoinAndClaimAsync(Blob(2)));
        Assert.Null(await Queue.ClaimAsync(By("f2") with { Running = [] }, None));
        Assert.Null(await Queue.ClaimAsync(By("f1") with { Running = [running.Id, lost.Id] }, None));
        var again = await Queue.ClaimAsync(By("f1") with { Running = [running.Id], OnlyQueued = true }, None);
        Assert.Equal((lost.Id, true), (again?.Id, again?.Fence > lost.Fence));
        Assert.Null(await Queue.ClaimAsync(By("f1") with { Running = [running.Id, lost.Id] }, None));
    }

    [Fact]
    public async Task A_claim_gives_up_waiting_for_a_row_whose_holder_is_lost()
    {
        await JoinAsync(Blob(1));
        await Database.WriteAsync(async (session, token) =>
        {
            await session.Sql("UPDATE fetches SET wanted_at = wanted_at + 1").ExecuteAsync(token);
            await Assert.ThrowsAsync<DatabaseUnavailableException>(() => Queue.ClaimAsync(By("f1"), None).WaitAsync(TimeSpan.FromSeconds(10), token));
            return 0;
        }, None);
        Assert.NotNull(await Queue.ClaimAsync(By("f1"), None));
    }

    [Fact]
    public async Task A_renewal_that_waited_while_its_lease_was_taken_renews_nothing()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        var held = await WhileHeldAsync("UPDATE fetches SET fence = fence + 1, owner = 'f2'", () => Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 1)], None));
        Assert.Empty(held);
    }

    /// <summary>Runs the statements in a transaction, lets the work run into its locks, and commits.</summary>
    private Task<T> WhileHeldAsync<T>(string sql, Func<Task<T>> work) => WhileHeldAsync([sql], work);

    private async Task<T> WhileHeldAsync<T>(string[] before, Func<Task<T>> work, params string[] after)
    {
        Task<T>? blocked = null;
        await Database.WriteAsync(async (session, token) =>
        {
            foreach (var sql in before) await session.Sql(sql).ExecuteAsync(token);
            blocked ??= Task.Run(work, token);
            await WaitForBlockedAsync(blocked);
            foreach (var sql in after) await session.Sql(sql).ExecuteAsync(token);
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
