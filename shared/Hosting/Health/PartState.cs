namespace Entrepot.Hosting;

/// <summary>How a part of the process fares.</summary>
public enum PartState
{
    /// <summary>Works.</summary>
    Ok,

    /// <summary>Works in a worse way than it should.</summary>
    Degraded,

    /// <summary>Does not work.</summary>
    Down,
}
