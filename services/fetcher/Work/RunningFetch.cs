using Entrepot.Metadata;
using Entrepot.Storage;

namespace Entrepot.Fetcher.Work;

/// <summary>A fetch this process has claimed and works on.</summary>
internal sealed class RunningFetch(ClaimedFetch claim, Func<bool> isHeld, Action freeSlot) : IDisposable
{
    private readonly CancellationTokenSource _lost = new();
    private volatile Spool? _spool;
    private int _missedBeats;
    private int _slotIsFree;

    public ClaimedFetch Claim { get; } = claim;

    public Guid Id => Claim.Id;

    public long Fence => Claim.Fence;

    /// <summary>The spool of a blob fetch, once it has one.</summary>
    public Spool? Spool { get => _spool; set => _spool = value; }

    /// <summary>How many bytes from the start another owner could take over: goes to the row with each renewal.</summary>
    public long Progress => _spool is { HasFile: true } spool ? spool.FilePrefix : Claim.Progress;

    /// <summary>False after this process stood still for longer than a lease: nothing may be served or written until it is renewed.</summary>
    public Func<bool> IsHeld { get; } = isHeld;

    /// <summary>Whether it holds one of the slots.</summary>
    public bool HasSlot => Volatile.Read(ref _slotIsFree) == 0;

    /// <summary>Cancelled when the row belongs to another owner or is given up. The end of the process does not cancel it: what is verified is still stored.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>Gives its slot to another fetch, while its own work may go on under its lease. More than once does no harm.</summary>
    public void FreeSlot()
    {
        if (Interlocked.Exchange(ref _slotIsFree, 1) == 0) freeSlot();
    }

    /// <summary>Ends the work; the row is not ours any more.</summary>
    public void Lose()
    {
        try
        {
            _lost.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // It has just ended by itself.
        }
    }

    /// <summary>A renewal did not find the row ours. True the second time in a row: the first may have met the commit that ends it.</summary>
    public bool MissedTwice() => Interlocked.Increment(ref _missedBeats) > 1;

    /// <summary>A renewal found the row ours.</summary>
    public void Renewed() => Volatile.Write(ref _missedBeats, 0);

    public void Dispose() => _lost.Dispose();
}
