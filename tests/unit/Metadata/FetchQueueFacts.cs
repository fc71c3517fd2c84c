using Entrepot.Contracts;
using Entrepot.Metadata;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

public sealed class FetchQueueOnSqlite() : FetchQueueFacts(new SqliteTestServer());

[Collection(PostgresCollection.Name)]
public sealed class FetchQueueOnPostgres(PostgresTestServer server) : FetchQueueFacts(server);

/// <summary>Joining, claiming and leases.</summary>
public abstract class FetchQueueFacts(ITestServer server) : DatabaseFacts(server)
{
    [Fact]
    public async Task Forty_joiners_at_once_share_one_row()
    {
        var joins = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => Queue.JoinAsync(Blob(1, repository: $"library/r{i % 4}"), None))));
        Assert.Single(joins.Select(j => j.Status.Id).Distinct());
        Assert.Single(joins, j => j.Inserted);
        Assert.All(joins, j => Assert.Null(j.Refused));
        Assert.Equal(1, await CountAsync("fetches"));
        Assert.Equal(["library/r0", "library/r1", "library/r2", "library/r3"], (await StatusAsync(joins[0].Status.Id)).Sources.Select(s => s.Repository).Order());
    }

    [Fact]
    public async Task Forty_claimers_of_one_row_have_one_winner()
    {
        for (var round = 1; round <= 5; round++)
        {
            var id = await JoinAsync(Blob(round));
            var claims = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => Queue.ClaimAsync(By($"f{i}"), None))));
            var won = Assert.Single(claims, c => c is not null)!;
            Assert.Equal(id, won.Id);
            var status = await StatusAsync(id);
            Assert.Equal((FetchState.Running, won.Fence), (status.State, status.Fence));
            Assert.StartsWith("http://f", status.OwnerAddress, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Forty_claimers_of_forty_rows_get_one_each_while_joiners_keep_coming()
    {
        for (var i = 0; i < 40; i++) await JoinAsync(Blob(i));
        using var stop = new CancellationTokenSource();
        var joiners = Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            for (var i = n; !stop.IsCancellationRequested; i++) await Queue.JoinAsync(Blob(i % 40, repository: $"library/{n}"), None);
        })).ToArray();
        var claims = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(() => Queue.ClaimAsync(By($"f{i}"), None))));
        await stop.CancelAsync();
        await Task.WhenAll(joiners);
        Assert.Equal(40, claims.Where(c => c is not null).Select(c => c!.Id).Distinct().Count());
        Assert.Equal(40, claims.Select(c => c!.Fence).Distinct().Count());
    }

    [Fact]
    public async Task A_claim_carries_what_the_fetcher_needs()
    {
        var request = Blob(1, size: 1234) with { TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
        await JoinAsync(request);
        var claimed = await ClaimAsync("f1");
        Assert.Equal((FetchKind.Blob, Digest(1), "public", 1234L, request.TraceParent, false), (claimed.Kind, claimed.Reference, claimed.TrustDomain, claimed.ExpectedSize, claimed.TraceParent, claimed.Prefetch));
        Assert.Equal([new FetchSource(Hub, Nginx, null, null, null)], claimed.Sources);
        Assert.Equal(request.Key, claimed.Key);
    }

    [Fact]
    public async Task Fences_grow_over_all_rows_so_that_no_two_owners_ever_write_the_same_object()
    {
        var first = await JoinAndClaimAsync(Blob(1));
        await CommitBlobAsync(first);
        await Holdings.ForgetBlobAsync(first.Reference, first.Fence, None);
        var elsewhere = await JoinAndClaimAsync(Blob(1, "ghcr.io", domain: "ghcr.io"));
        var again = await JoinAndClaimAsync(Blob(1));
        await Queue.SweepAsync(TimeSpan.Zero, None);
        await Queue.ReclaimAllAsync(None);
        var reclaimed = await ClaimAsync();
        Assert.True(first.Fence < elsewhere.Fence && elsewhere.Fence < again.Fence && again.Fence < reclaimed.Fence);
    }

    [Fact]
    public async Task A_lost_owner_can_write_nothing()
    {
        var lost = await JoinAndClaimAsync(Blob(1));
        Advance(10.1);
        var owner = await ClaimAsync("f2");
        Assert.Equal(lost.Id, owner.Id);
        Assert.Equal(CommitResult.LeaseLost, await CommitBlobAsync(lost));
        Assert.IsType<SourceSettlement.LeaseLost>(await FailAsync(lost, FetchOutcome.NotFound));
        Assert.False(await Queue.RecordAnswerAsync(lost.Id, lost.Fence, 5, Hub, Nginx, None));
        Assert.False(await Queue.AbandonAsync(lost.Id, lost.Fence, TimeSpan.Zero, None));
        Assert.Empty(await Queue.RenewAsync("f1", [new(lost.Id, lost.Fence, 7)], None));
        await Queue.ReleaseAsync(lost.Id, lost.Fence, TimeSpan.Zero, None);
        await Queue.SuspectAsync(lost.Id, lost.Fence, TimeSpan.Zero, None);
        Advance(3);
        Assert.Null(await Queue.ClaimAsync(By("f3"), None));
        Assert.Equal(0, await CountAsync("blobs"));
        Assert.Equal(CommitResult.Committed, await CommitBlobAsync(owner));
        Assert.Equal(new HeldBlob(100, owner.Fence), (await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None)).Held);
    }

    [Fact]
    public async Task An_owner_that_renews_in_time_is_not_suspected_of_standing_still()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        Advance(1.9);
        await Queue.SuspectAsync(fetch.Id, fetch.Fence, FetchTimings.LateRenewal, None);
        Advance(2.5);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));

        await Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 0)], None);
        Advance(2.1);
        await Queue.SuspectAsync(fetch.Id, fetch.Fence, FetchTimings.LateRenewal, None);
        Advance(1.9);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        Advance(0.2);
        Assert.Equal(fetch.Id, (await ClaimAsync("f2")).Id);
    }

    [Fact]
    public async Task A_renewed_lease_holds_and_carries_progress()
    {
        var one = await JoinAndClaimAsync(Blob(1));
        var two = await JoinAndClaimAsync(Blob(2));
        for (var i = 1; i <= 4; i++)
        {
            Advance(6);
            Assert.Equal(new HashSet<Guid> { one.Id, two.Id }, await Queue.RenewAsync("f1", [new(one.Id, one.Fence, i), new(two.Id, two.Fence, 10 * i), new(Guid.NewGuid(), 1, 0)], None));
        }
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        Assert.Equal((4, 40), ((await StatusAsync(one.Id)).Progress, (await StatusAsync(two.Id)).Progress));
        Assert.Empty(await Queue.RenewAsync("f2", [new(one.Id, one.Fence, 5)], None));
    }

    [Fact]
    public async Task Suspicion_is_cleared_by_a_renewal_and_else_ends_the_lease_after_two_seconds()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        await Queue.SuspectAsync(fetch.Id, fetch.Fence, TimeSpan.Zero, None);
        Advance(1.5);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        await Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 0)], None);
        Advance(1.5);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));

        await Queue.SuspectAsync(fetch.Id, fetch.Fence, TimeSpan.Zero, None);
        Advance(1.5);
        await Queue.SuspectAsync(fetch.Id, fetch.Fence, TimeSpan.Zero, None);
        await Queue.SuspectAsync(fetch.Id, fetch.Fence - 1, TimeSpan.Zero, None);
        Advance(0.6);
        var taken = await ClaimAsync("f2");
        Assert.True(taken.Fence > fetch.Fence);
        Advance(2.1);
        Assert.Null(await Queue.ClaimAsync(By("f3"), None));
    }

    [Fact]
    public async Task Waited_for_comes_before_prefetch_small_kinds_before_blobs_then_fair_by_upstream_then_age()
    {
        await JoinAsync(Blob(90, "busy.io"));
        await JoinAsync(Blob(91, "busy.io"));
        await ClaimAsync();
        await ClaimAsync();
        var prefetched = await JoinAsync(Blob(1, prefetch: true));
        Advance(0.01);
        var busyOld = await JoinAsync(Blob(2, "busy.io"));
        Advance(0.01);
        var idleOld = await JoinAsync(Blob(3, "idle.io"));
        Advance(0.01);
        var idleNew = await JoinAsync(Blob(4, "idle.io"));
        Advance(0.01);
        var tag = await JoinAsync(Tag("latest", "busy.io"));

        var order = new List<Guid>();
        while (await Queue.ClaimAsync(By("f1"), None) is { } claimed) order.Add(claimed.Id);
        Assert.Equal([tag, idleOld, idleNew, busyOld, prefetched], order);
    }

    [Fact]
    public async Task Slots_for_small_work_take_no_big_blob_and_none_of_unknown_size()
    {
        await JoinAsync(Blob(1));
        await JoinAsync(Blob(2, size: FetchTimings.SmallBlobBytes));
        var small = await JoinAsync(Blob(3, size: FetchTimings.SmallBlobBytes - 1));
        var tag = await JoinAsync(Tag("latest"));
        var options = By("f1") with { SmallOnly = true };
        Assert.Equal(tag, (await Queue.ClaimAsync(options, None))!.Id);
        Assert.Equal(small, (await Queue.ClaimAsync(options, None))!.Id);
        Assert.Null(await Queue.ClaimAsync(options, None));
    }

    [Fact]
    public async Task An_upstream_gets_no_more_than_its_share_of_one_owner_and_the_others_get_theirs()
    {
        for (var i = 0; i < 3; i++) await JoinAsync(Blob(i, "busy.io"));
        var options = By("f1") with { MostOfOneUpstream = 2 };
        Assert.NotNull(await Queue.ClaimAsync(options, None));
        var second = await Queue.ClaimAsync(options, None);
        Assert.Null(await Queue.ClaimAsync(options, None));

        // Another upstream, and another owner, are not held up by that; and a slot that becomes free is the upstream's again.
        var idle = await JoinAsync(Blob(8, "idle.io"));
        Assert.Equal(idle, (await Queue.ClaimAsync(options, None))!.Id);
        await JoinAsync(Blob(9, "busy.io"));
        Assert.NotNull(await Queue.ClaimAsync(By("f2") with { MostOfOneUpstream = 2 }, None));
        Assert.Null(await Queue.ClaimAsync(options, None));
        await Queue.FinishWithoutContentAsync(second!.Id, second.Fence, None);
        Assert.NotNull(await Queue.ClaimAsync(options, None));
    }

    [Fact]
    public async Task What_holds_no_slot_any_more_is_nothing_of_its_upstreams_share_and_still_its_owners()
    {
        for (var i = 0; i < 3; i++) await JoinAsync(Blob(i, "busy.io"));
        var options = By("f1") with { MostOfOneUpstream = 1 };
        var first = await Queue.ClaimAsync(options, None);
        Assert.Null(await Queue.ClaimAsync(options, None));
        var second = await Queue.ClaimAsync(options with { WithoutSlot = [first!.Id] }, None);
        Assert.NotEqual(first.Id, second!.Id);
        Assert.Null(await Queue.ClaimAsync(options with { WithoutSlot = [first.Id] }, None));
        Assert.Contains(first.Id, await Queue.RenewAsync("f1", [new LeaseProgress(first.Id, first.Fence, 0)], None));
    }

    [Fact]
    public async Task A_claimer_may_leave_prefetches_and_named_fetches_alone()
    {
        var prefetched = await JoinAsync(Blob(1, prefetch: true));
        var waited = await JoinAsync(Blob(2));
        Assert.Null(await Queue.ClaimAsync(By("f1") with { AllowPrefetch = false, Running = [waited] }, None));
        Assert.Equal(prefetched, (await Queue.ClaimAsync(By("f1") with { Running = [waited] }, None))!.Id);
    }

    [Fact]
    public async Task A_prefetch_that_somebody_joins_is_waited_for()
    {
        var prefetched = await JoinAsync(Blob(1, prefetch: true));
        Assert.True((await StatusAsync(prefetched)).Prefetch);
        Assert.True((await Queue.JoinAsync(Blob(1, prefetch: true), None)).Status.Prefetch);
        var join = await Queue.JoinAsync(Blob(1, size: 55), None);
        Assert.Equal((prefetched, false, false, 55L), (join.Status.Id, join.Inserted, join.Status.Prefetch, join.Status.ExpectedSize));
    }

    [Fact]
    public async Task A_released_fetch_is_claimable_after_its_delay()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        await Queue.ReleaseAsync(fetch.Id, fetch.Fence, TimeSpan.FromSeconds(5), None);
        Assert.Equal(CommitResult.LeaseLost, await CommitBlobAsync(fetch));
        var status = await StatusAsync(fetch.Id);
        Assert.Equal((FetchState.Queued, null, null), (status.State, status.Owner, status.OwnerAddress));
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        Advance(5.1);
        Assert.Equal(fetch.Id, (await ClaimAsync("f2")).Id);
    }

    [Fact]
    public async Task An_answer_is_on_the_row_for_all_who_wait()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        Assert.Null((await StatusAsync(fetch.Id)).Size);
        Assert.True(await Queue.RecordAnswerAsync(fetch.Id, fetch.Fence, 4711, Hub, Nginx, None));
        var status = await StatusAsync(fetch.Id);
        Assert.Equal((4711, Hub, Nginx), (status.Size, status.AnsweredUpstream, status.AnsweredRepository));
    }

    [Fact]
    public async Task Abandoning_needs_a_minute_of_no_interest_and_less_than_half_done()
    {
        var after = TimeSpan.FromSeconds(60);
        var fetch = await JoinAndClaimAsync(Blob(1));
        await Queue.RecordAnswerAsync(fetch.Id, fetch.Fence, 100, Hub, Nginx, None);
        Advance(59);
        Assert.False(await Queue.AbandonAsync(fetch.Id, fetch.Fence, after, None));
        await Queue.TouchAsync([fetch.Id], None);
        Advance(59);
        Assert.False(await Queue.AbandonAsync(fetch.Id, fetch.Fence, after, None));
        await JoinAsync(Blob(1));
        Advance(59);
        Assert.False(await Queue.AbandonAsync(fetch.Id, fetch.Fence, after, None));
        await Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 50)], None);
        Advance(2);
        Assert.False(await Queue.AbandonAsync(fetch.Id, fetch.Fence, after, None));
        await Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 49)], None);
        Assert.True(await Queue.AbandonAsync(fetch.Id, fetch.Fence, after, None));

        Assert.Equal((FetchState.Failed, FetchOutcome.Unavailable), ((await StatusAsync(fetch.Id)).State, (await StatusAsync(fetch.Id)).Outcome));
        var join = await Queue.JoinAsync(Blob(1), None);
        Assert.True(join.Inserted);
        Assert.Null(join.Refused);
    }

    [Fact]
    public async Task Abandoning_and_joining_at_once_never_leave_a_joiner_on_a_dead_row()
    {
        for (var round = 0; round < 100; round++)
        {
            var fetch = await JoinAndClaimAsync(Blob(1));
            Advance(61);
            var abandon = Task.Run(() => Queue.AbandonAsync(fetch.Id, fetch.Fence, TimeSpan.FromSeconds(60), None));
            var join = Task.Run(() => Queue.JoinAsync(Blob(1), None));
            Assert.NotEqual(await abandon, (await join).Status.Id == fetch.Id);
            Assert.True((await StatusAsync((await join).Status.Id)).State is FetchState.Queued or FetchState.Running);
            await ExecuteAsync("UPDATE fetches SET state = 'Failed'");
        }
    }

    [Fact]
    public async Task A_restarted_embedded_server_reclaims_what_ran()
    {
        var fetch = await JoinAndClaimAsync(Blob(1));
        await Queue.RenewAsync("f1", [new(fetch.Id, fetch.Fence, 33)], None);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        await Queue.ReclaimAllAsync(None);
        var reclaimed = await ClaimAsync("f2");
        Assert.Equal((fetch.Id, 33L), (reclaimed.Id, reclaimed.Progress));
    }

    [Fact]
    public async Task A_restarted_fetcher_reclaims_what_ran_at_its_address_and_nothing_else()
    {
        var other = await JoinAndClaimAsync(Blob(1));
        await JoinAsync(Blob(2));
        var mine = (await Queue.ClaimAsync(By("f2") with { Address = "http://f2/" }, None))!;
        await Queue.ReclaimAsync("http://f2/", None);
        Assert.Equal(mine.Id, (await ClaimAsync("f3")).Id);
        Assert.Null(await Queue.ClaimAsync(By("f3"), None));
        Assert.Equal(FetchState.Running, (await StatusAsync(other.Id)).State);
    }

    [Fact]
    public async Task What_is_one_round_trip_is_leased_for_half_as_long_as_a_blob()
    {
        var (tag, blob) = (await JoinAndClaimAsync(Tag("latest")), await JoinAndClaimAsync(Blob(1)));
        Advance(4.5);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        Assert.Equal(2, (await Queue.RenewAsync("f1", [new(tag.Id, tag.Fence, 0), new(blob.Id, blob.Fence, 1)], None)).Count);
        Advance(4.5);
        Assert.Null(await Queue.ClaimAsync(By("f2"), None));
        Advance(1);
        Assert.Equal(tag.Id, (await ClaimAsync("f2")).Id);
        Assert.Null(await Queue.ClaimAsync(By("f3"), None));
    }

    [Fact]
    public async Task Finished_fetches_are_readable_for_their_time_and_then_swept_with_their_sources()
    {
        await StoreBlobAsync(1);
        var failed = await JoinAndClaimAsync(Tag("nope"));
        await FailAsync(failed, FetchOutcome.NotFound);
        Advance(599);
        Assert.Equal(0, await Queue.SweepAsync(FetchTimings.KeepFinished, None));
        Assert.Equal(FetchOutcome.NotFound, (await StatusAsync(failed.Id)).Outcome);
        Advance(2);
        var active = await JoinAsync(Blob(2));
        Assert.Equal(2, await Queue.SweepAsync(FetchTimings.KeepFinished, None));
        Assert.Equal((1, 1), (await CountAsync("fetches"), await CountAsync("fetch_sources")));
        Assert.Empty(await Queue.ReadAsync([failed.Id], None));
        Assert.Equal(active, (await StatusAsync(active)).Id);
    }

    [Fact]
    public async Task Many_statuses_are_read_at_once_each_with_its_sources()
    {
        var one = await JoinAsync(Blob(1));
        await JoinAsync(Blob(1, repository: "library/other"));
        var two = await JoinAsync(Tag("latest"));
        var statuses = await Queue.ReadAsync([one, two, Guid.NewGuid()], None);
        Assert.Equal(2, statuses.Count);
        Assert.Equal([Nginx, "library/other"], statuses.Single(s => s.Id == one).Sources.Select(s => s.Repository));
        Assert.Equal([Nginx], statuses.Single(s => s.Id == two).Sources.Select(s => s.Repository));
        Assert.Empty(await Queue.ReadAsync([], None));
    }

    [Fact]
    public async Task Queue_lengths_are_counted_by_kind_and_state()
    {
        await JoinAndClaimAsync(Blob(1));
        await JoinAsync(Blob(2));
        await JoinAsync(Blob(3));
        Advance(7);
        var lengths = await Queue.MeasureAsync(None);
        Assert.Equal([(FetchState.Queued, 2L), (FetchState.Running, 1L)], lengths.Select(l => (l.State, l.Count)).Order());
        Assert.All(lengths, l => Assert.InRange(l.Oldest, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(30)));
    }
}
