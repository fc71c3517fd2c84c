using Entrepot.Contracts;
using Entrepot.Metadata;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

public sealed class FetchOutcomesOnSqlite() : FetchOutcomeFacts(new SqliteTestServer());

[Collection(PostgresCollection.Name)]
public sealed class FetchOutcomesOnPostgres(PostgresTestServer server) : FetchOutcomeFacts(server);

/// <summary>Sources, failures, retry windows.</summary>
public abstract class FetchOutcomeFacts(ITestServer server) : DatabaseFacts(server)
{
    private const string Other = "library/other";

    [Theory]
    [InlineData(FetchOutcome.NotFound, 10)]
    [InlineData(FetchOutcome.Denied, 10)]
    [InlineData(FetchOutcome.TooLarge, 10)]
    [InlineData(FetchOutcome.RateLimited, 10)]
    [InlineData(FetchOutcome.Unavailable, 2)]
    [InlineData(FetchOutcome.Corrupt, 2)]
    public async Task A_failure_stands_for_its_window_and_then_a_new_row_is_made(FetchOutcome outcome, int seconds)
    {
        var fetch = await JoinAndClaimAsync(Tag("latest"));
        Assert.Equal(new SourceSettlement.FetchFailed(outcome), await FailAsync(fetch, outcome));
        Advance(seconds - 0.5);
        var refused = await Queue.JoinAsync(Tag("latest"), None);
        Assert.Equal((outcome, $"it was {outcome}", false), (refused.Refused!.Outcome, refused.Refused.Message, refused.Inserted));
        Assert.InRange(refused.Refused.RetryAfter!.Value, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(500));
        Assert.Equal((fetch.Id, FetchState.Failed, outcome), (refused.Status.Id, refused.Status.State, refused.Status.Outcome));
        Assert.Equal(1, await CountAsync("fetches"));

        Advance(0.6);
        var join = await Queue.JoinAsync(Tag("latest"), None);
        Assert.Null(join.Refused);
        Assert.True(join.Inserted);
        Assert.NotEqual(fetch.Id, join.Status.Id);
    }

    [Fact]
    public async Task An_upstreams_own_retry_after_counts_up_to_a_minute()
    {
        await FailAsync(await JoinAndClaimAsync(Tag("a")), FetchOutcome.RateLimited, TimeSpan.FromSeconds(30));
        await FailAsync(await JoinAndClaimAsync(Tag("b")), FetchOutcome.RateLimited, TimeSpan.FromHours(6));
        Advance(29);
        Assert.NotNull((await Queue.JoinAsync(Tag("a"), None)).Refused);
        Advance(2);
        Assert.Null((await Queue.JoinAsync(Tag("a"), None)).Refused);
        Assert.NotNull((await Queue.JoinAsync(Tag("b"), None)).Refused);
        Advance(30);
        Assert.Null((await Queue.JoinAsync(Tag("b"), None)).Refused);
    }

    [Fact]
    public async Task Outages_in_a_row_double_the_window_to_half_a_minute_and_a_success_starts_over()
    {
        foreach (var window in (int[])[2, 4, 8, 16, 30, 30])
        {
            await FailAsync(await JoinAndClaimAsync(Blob(1)), FetchOutcome.Unavailable);
            Advance(window - 0.5);
            Assert.NotNull((await Queue.JoinAsync(Blob(1), None)).Refused);
            Advance(0.6);
        }
        await StoreBlobAsync(1);
        await FailAsync(await JoinAndClaimAsync(Blob(1)), FetchOutcome.Corrupt);
        Advance(2.1);
        Assert.Null((await Queue.JoinAsync(Blob(1), None)).Refused);
    }

    [Fact]
    public async Task A_fetch_that_may_ask_nobody_any_more_fails_at_once_for_all_who_are_left()
    {
        var id = await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: Other));
        await JoinAsync(Blob(1, repository: "library/third"));
        var fetch = await ClaimAsync();
        await FailAsync(fetch, FetchOutcome.NotFound);
        Assert.Equal(new SourceSettlement.FetchFailed(FetchOutcome.Corrupt), await Queue.SettleAllAsync(id, fetch.Fence, FetchOutcome.Corrupt, "bad bytes", None));
        Assert.Equal([FetchOutcome.NotFound, FetchOutcome.Corrupt, FetchOutcome.Corrupt], (await StatusAsync(id)).Sources.Select(s => s.Outcome));
        Assert.IsType<SourceSettlement.LeaseLost>(await Queue.SettleAllAsync(id, fetch.Fence, FetchOutcome.Corrupt, "bad bytes", None));
        Assert.NotNull((await Queue.JoinAsync(Blob(1, repository: Other), None)).Refused);
    }

    [Fact]
    public async Task One_source_denied_settles_its_own_waiters_only_and_the_other_stores()
    {
        var id = await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: Other));
        var fetch = await ClaimAsync();
        Assert.Equal([Nginx, Other], fetch.Sources.Select(s => s.Repository));
        var next = Assert.IsType<SourceSettlement.Next>(await FailAsync(fetch, FetchOutcome.Denied));
        Assert.Equal(Other, next.Source.Repository);
        var status = await StatusAsync(id);
        Assert.Equal(FetchState.Running, status.State);
        Assert.Equal([FetchOutcome.Denied, null], status.Sources.Select(s => s.Outcome));
        Assert.Equal(FetchOutcome.Denied, (await Queue.JoinAsync(Blob(1), None)).Refused!.Outcome);
        Assert.Null((await Queue.JoinAsync(Blob(1, repository: Other), None)).Refused);

        Assert.Equal(CommitResult.Committed, await CommitBlobAsync(fetch, repository: Other));
        status = await StatusAsync(id);
        Assert.Equal((FetchState.Done, FetchOutcome.Stored), (status.State, status.Outcome));
        Assert.Equal([FetchOutcome.Denied, FetchOutcome.Stored], status.Sources.Select(s => s.Outcome));
        Assert.Equal(Rights.None, (await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None)).Rights);
        Assert.Equal(Rights.Downloaded, (await Holdings.FindBlobAsync(Hub, Other, Digest(1), None)).Rights);
    }

    [Fact]
    public async Task A_source_that_was_never_asked_stays_open_when_another_has_stored()
    {
        var id = await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: Other));
        await CommitBlobAsync(await ClaimAsync());
        Assert.Equal([FetchOutcome.Stored, null], (await StatusAsync(id)).Sources.Select(s => s.Outcome));
        Assert.True((await Queue.JoinAsync(Blob(1, repository: Other), None)).Inserted);
    }

    [Fact]
    public async Task A_settled_source_is_asked_again_once_its_window_is_over_and_after_the_others()
    {
        var id = await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: Other));
        var fetch = await ClaimAsync();
        await FailAsync(fetch, FetchOutcome.Unavailable);
        Advance(2.1);
        await Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 0)], None);
        var join = await Queue.JoinAsync(Blob(1), None);
        Assert.Equal((id, null), (join.Status.Id, join.Refused));
        Assert.Equal([(Other, null), (Nginx, null)], join.Status.Sources.Select(s => (s.Repository, s.Outcome)));
        Assert.Equal([Other, Nginx], (await StatusAsync(id)).Sources.Select(s => s.Repository));

        Assert.Equal(Nginx, Assert.IsType<SourceSettlement.Next>(await FailAsync(fetch, FetchOutcome.NotFound, repository: Other)).Source.Repository);
        Assert.Equal(new SourceSettlement.FetchFailed(FetchOutcome.Unavailable), await FailAsync(fetch, FetchOutcome.Unavailable));
        Advance(3.5);
        Assert.NotNull((await Queue.JoinAsync(Blob(1), None)).Refused);
        Advance(0.6);
        Assert.Null((await Queue.JoinAsync(Blob(1), None)).Refused);
    }

    [Theory]
    [InlineData(FetchOutcome.NotFound, FetchOutcome.Unavailable, FetchOutcome.Unavailable)]
    [InlineData(FetchOutcome.Denied, FetchOutcome.NotFound, FetchOutcome.Denied)]
    [InlineData(FetchOutcome.RateLimited, FetchOutcome.Corrupt, FetchOutcome.RateLimited)]
    public async Task The_fetch_has_the_most_telling_outcome_of_its_sources(FetchOutcome first, FetchOutcome second, FetchOutcome all)
    {
        await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: Other));
        var fetch = await ClaimAsync();
        Assert.IsType<SourceSettlement.Next>(await FailAsync(fetch, first));
        Assert.Equal(new SourceSettlement.FetchFailed(all), await FailAsync(fetch, second, repository: Other));
        var status = await StatusAsync(fetch.Id);
        Assert.Equal((all, $"it was {all}"), (status.Outcome, status.Message));
    }

    [Fact]
    public async Task A_source_nobody_named_cannot_be_settled()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => FailAsync(fetch, FetchOutcome.NotFound, repository: "library/unknown"));
    }

    [Fact]
    public async Task Trust_domains_do_not_share_a_blobs_fetch_and_upstreams_do_not_share_a_tags()
    {
        var ids = new[] { await JoinAsync(Blob(1)), await JoinAsync(Blob(1, "private.io", domain: "private.io")), await JoinAsync(Tag("latest")), await JoinAsync(Tag("latest", "ghcr.io")) };
        Assert.Equal(4, ids.Distinct().Count());
        Assert.Equal(ids[0], await JoinAsync(Blob(1, "ghcr.io")));
    }

    /// <summary>The race the protocol stands or falls with: a joiner must never end up on a row that failed without having asked its source.</summary>
    [Fact]
    public async Task Joining_while_the_last_source_fails_is_seen_by_the_fetcher_or_makes_a_new_row()
    {
        for (var round = 0; round < 300; round++)
        {
            var fetch = await JoinAndClaimAsync(Blob(round));
            using var start = new Barrier(3);
            var joins = Enumerable.Range(0, 2).Select(i => Task.Run(() =>
            {
                start.SignalAndWait();
                return Queue.JoinAsync(Blob(round, repository: $"{Other}{i}"), None);
            })).ToArray();
            var settle = Task.Run(() =>
            {
                start.SignalAndWait();
                return FailAsync(fetch, FetchOutcome.NotFound);
            });
            var settlement = await settle;
            var joined = await Task.WhenAll(joins);
            var onOldRow = joined.Where(j => j.Status.Id == fetch.Id).ToList();
            if (settlement is SourceSettlement.FetchFailed) Assert.Empty(onOldRow);
            else Assert.NotEmpty(onOldRow);
            var old = await StatusAsync(fetch.Id);
            Assert.Equal(onOldRow.Count + 1, old.Sources.Count);
            Assert.Equal(onOldRow.Count > 0 ? FetchState.Running : FetchState.Failed, old.State);
            Assert.InRange(joined.Count(j => j.Inserted), onOldRow.Count == 2 ? 0 : onOldRow.Count == 1 ? 0 : 1, 1);
            await ExecuteAsync("UPDATE fetches SET state = 'Failed' WHERE state <> 'Failed'");
        }
    }

    /// <summary>Everything at once: whoever waits gets an answer for its own source, every digest is stored once, nothing stays active.</summary>
    [Fact]
    public async Task Joiners_claimers_settlers_and_committers_at_once_lose_nobody()
    {
        const int digests = 12, repositories = 5;
        var random = new Random(7);
        var committed = new System.Collections.Concurrent.ConcurrentBag<string>();
        var waiters = Enumerable.Range(0, 240).Select(i => (Digest: random.Next(digests), Repository: random.Next(repositories))).ToArray();
        using var done = new CancellationTokenSource();

        var fetchers = Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                if (await Queue.ClaimAsync(By($"f{n}"), None) is not { } fetch)
                {
                    await Task.Yield();
                    continue;
                }
                var source = fetch.Sources[0];
                while (true)
                {
                    // Repository r4 has the bytes, the others say no.
                    if (source.Repository == "r4")
                    {
                        if (await CommitBlobAsync(fetch, repository: "r4") == CommitResult.Committed) committed.Add(fetch.Reference);
                        break;
                    }
                    var settlement = await FailAsync(fetch, FetchOutcome.NotFound, TimeSpan.Zero, repository: source.Repository);
                    if (settlement is not SourceSettlement.Next next) break;
                    source = next.Source;
                }
            }
        })).ToArray();

        await Task.WhenAll(waiters.Select(waiter => Task.Run(async () =>
        {
            var repository = $"r{waiter.Repository}";
            var join = await Queue.JoinAsync(Blob(waiter.Digest, repository: repository), None);
            for (var deadline = Environment.TickCount64 + 30_000; ;)
            {
                var status = await StatusAsync(join.Status.Id);
                var own = status.Sources.Single(s => s.Repository == repository);
                if (status.State == FetchState.Failed) Assert.Equal(FetchOutcome.NotFound, own.Outcome);
                if (status.State is FetchState.Done or FetchState.Failed || own.Outcome is not null) break;
                Assert.True(Environment.TickCount64 < deadline, $"fetch {status} did not end");
                await Task.Delay(1);
            }
        })));
        await done.CancelAsync();
        await Task.WhenAll(fetchers);
        Assert.Equal(committed.Count, committed.Distinct().Count());
        Assert.Equal(waiters.Where(w => w.Repository == 4).Select(w => Digest(w.Digest)).Distinct().Order(), committed.Order());
    }
}
