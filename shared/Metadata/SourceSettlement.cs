using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>What is left to do after one source has failed.</summary>
public abstract record SourceSettlement
{
    private SourceSettlement()
    {
    }

    /// <summary>Another source is still to be asked.</summary>
    public sealed record Next(FetchSource Source) : SourceSettlement;

    /// <summary>That was the last one: the fetch has failed, with the most telling outcome of its sources.</summary>
    public sealed record FetchFailed(FetchOutcome Outcome) : SourceSettlement;

    /// <summary>The fetch is another owner's by now; nothing was written.</summary>
    public sealed record LeaseLost : SourceSettlement;
}
