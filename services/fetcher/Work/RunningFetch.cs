using Entrepot.Metadata;
using Entrepot.Storage;

namespace Entrepot.Fetcher.Work;

/// <summary>A fetch this process has claimed and works on.</summary>
internal sealed class RunningFetch(ClaimedFetch claim, Func<bool> isHeld, CancellationTokenSource lost)
{
    private volatile Spool? _spool;

    public ClaimedFetch Claim { get; } = claim;

    public Guid Id => Claim.Id;

    public long Fence => Claim.Fence;

    /// <summary>The spool of a blob fetch, once it has one.</summary>
    public Spool? Spool { get => _spool; set => _spool = value; }

    /// <summary>How many bytes from the start are there: goes to the row with each renewal.</summary>
    public long Progress => _spool?.Prefix ?? 0;

    /// <summary>False after this process stood still for longer than a lease: nothing may be served or written until it is renewed.</summary>
    public Func<bool> IsHeld { get; } = isHeld;

    /// <summary>Cancelled when the row belongs to another owner or is given up, and at the end of the process.</summary>
    public CancellationToken Stopping { get; } = lost.Token;

    /// <summary>Ends the work; the row is not ours any more.</summary>
    public void Lose() => lost.Cancel();
}
