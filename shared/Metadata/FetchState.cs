namespace Entrepot.Metadata;

/// <summary>Where a fetch stands. The first two are active: no second fetch of the same key exists beside it.</summary>
public enum FetchState
{
    /// <summary>Waits to be claimed.</summary>
    Queued,

    /// <summary>Claimed; its lease may have run out since.</summary>
    Running,

    /// <summary>Stored.</summary>
    Done,

    /// <summary>Every source has failed, or it was given up.</summary>
    Failed,
}
