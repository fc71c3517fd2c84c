using Entrepot.Api.Pull;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Entrepot.UnitTests.Api;

/// <summary>What events and looks at the row make of a wait, in whatever order they come.</summary>
public sealed class FetchWaitTests
{
    private static readonly FetchStatus Queued = new()
    {
        Id = Guid.CreateVersion7(),
        Kind = FetchKind.Blob,
        Key = "k",
        Reference = "sha256:" + new string('a', 64),
        TrustDomain = "d",
        State = FetchState.Queued,
        Owner = null,
        OwnerAddress = null,
        Fence = 0,
        Size = null,
        ExpectedSize = null,
        AnsweredUpstream = null,
        AnsweredRepository = null,
        Progress = 0,
        Outcome = null,
        Message = null,
        Prefetch = false,
        Sources = [new FetchSource("u", "r", null, null, null)],
    };

    private readonly FetchWaits _waits = new(null!, TimeProvider.System, NullLogger<FetchWaits>.Instance);
    private readonly FetchWait _wait;

    public FetchWaitTests() => _wait = _waits.Follow(Queued);

    [Fact]
    public void A_fetch_that_has_started_says_whom_to_read_from()
    {
        var changed = _wait.Changed;
        _waits.Started(Queued.Id, 7, "http://f1:5001");
        Assert.True(changed.IsCompletedSuccessfully);
        Assert.Equal((FetchState.Running, 7, "http://f1:5001"), (_wait.Status!.State, _wait.Status.Fence, _wait.Status.OwnerAddress));
    }

    [Fact]
    public void A_look_at_the_row_that_is_older_than_the_event_changes_nothing()
    {
        _waits.Started(Queued.Id, 7, "http://f1:5001");
        var changed = _wait.Changed;
        _wait.Update(Queued);
        Assert.False(changed.IsCompleted);
        Assert.Equal(FetchState.Running, _wait.Status!.State);
    }

    [Fact]
    public void The_event_of_an_owner_that_was_replaced_changes_nothing()
    {
        _wait.Update(Queued with { State = FetchState.Running, Fence = 9, OwnerAddress = "http://f2:5001" });
        _waits.Started(Queued.Id, 7, "http://f1:5001");
        Assert.Equal((9, "http://f2:5001"), (_wait.Status!.Fence, _wait.Status.OwnerAddress));
    }

    [Fact]
    public void What_is_over_stays_over()
    {
        _waits.Stored(Queued.Id, 9);
        _wait.Update(Queued with { State = FetchState.Running, Fence = 9 });
        _waits.Started(Queued.Id, 9, "http://f2:5001");
        Assert.Equal((FetchState.Done, FetchOutcome.Stored), (_wait.Status!.State, _wait.Status.Outcome));
    }

    [Fact]
    public void The_end_that_an_owner_tells_who_was_replaced_is_none()
    {
        _waits.Started(Queued.Id, 9, "http://f2:5001");
        _waits.Stored(Queued.Id, 7);
        Assert.Equal((FetchState.Running, 9), (_wait.Status!.State, _wait.Status.Fence));
        _waits.Stored(Queued.Id, 9);
        Assert.Equal(FetchState.Done, _wait.Status!.State);
    }

    [Fact]
    public void The_row_knows_better_than_an_owner_who_was_replaced_before_anybody_heard_of_it()
    {
        _waits.Stored(Queued.Id, 7);
        _wait.Update(Queued with { State = FetchState.Running, Fence = 9, OwnerAddress = "http://f2:5001" });
        Assert.Equal((FetchState.Running, 9), (_wait.Status!.State, _wait.Status.Fence));
    }

    [Fact]
    public void An_end_without_a_fence_is_believed()
    {
        _waits.Started(Queued.Id, 9, "http://f2:5001");
        _waits.Stored(Queued.Id, null);
        Assert.Equal((FetchState.Done, 9), (_wait.Status!.State, _wait.Status.Fence));
    }

    [Fact]
    public void A_row_that_went_back_to_the_queue_is_queued_again()
    {
        _waits.Started(Queued.Id, 7, "http://f1:5001");
        _wait.Update(Queued with { Fence = 7 });
        Assert.Equal(FetchState.Queued, _wait.Status!.State);
    }

    [Fact]
    public void A_row_that_is_swept_takes_nothing_back_of_how_it_ended()
    {
        _waits.Stored(Queued.Id, 9);
        _wait.Update(null);
        Assert.Equal(FetchState.Done, _wait.Status!.State);
    }

    [Fact]
    public void A_row_that_is_gone_before_its_end_was_seen_is_no_more()
    {
        _wait.Update(null);
        Assert.Null(_wait.Status);
    }

    [Fact]
    public void An_event_about_a_fetch_that_nobody_waits_for_is_nothing()
    {
        _waits.Started(Guid.CreateVersion7(), 7, "http://f1:5001");
        _waits.Stored(Guid.CreateVersion7(), 7);
        Assert.Equal(FetchState.Queued, _wait.Status!.State);
    }
}
