namespace Entrepot.Hosting;

/// <summary>How a part fares, and why. The detail is shown to everybody who can reach <c>/readyz</c>: no secrets, no addresses.</summary>
public readonly record struct PartHealth(PartState State, string? Detail = null)
{
    /// <summary>The part works.</summary>
    public static PartHealth Ok => new(PartState.Ok);

    /// <summary>The part works in a worse way.</summary>
    public static PartHealth Degraded(string detail) => new(PartState.Degraded, detail);

    /// <summary>The part does not work.</summary>
    public static PartHealth Down(string detail) => new(PartState.Down, detail);
}
