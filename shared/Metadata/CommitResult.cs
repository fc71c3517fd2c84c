namespace Entrepot.Metadata;

/// <summary>What a commit did.</summary>
public enum CommitResult
{
    /// <summary>Written; the fetch is done.</summary>
    Committed,

    /// <summary>The fetch is done and possession recorded, but other bytes of this digest are held already: discard one's own object.</summary>
    AlreadyStored,

    /// <summary>The fetch is done and the content written, but not the tag: it was purged or checked by another since, or its manifest is gone. Waiters look again.</summary>
    TagNotWritten,

    /// <summary>The fetch is another owner's by now, or over; nothing was written: discard one's own object.</summary>
    LeaseLost,
}
