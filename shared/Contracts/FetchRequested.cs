namespace Entrepot.Contracts;

/// <summary>
/// A doorbell: a fetch row waits to be claimed. It is acknowledged in milliseconds and never held during a download;
/// losing it costs a poll interval, never a pull, because the row is the job.
/// </summary>
public sealed record FetchRequested
{
    /// <summary>The id of the fetch row.</summary>
    public required Guid FetchId { get; init; }

    /// <summary>The name of a <see cref="FetchKind"/>.</summary>
    public required string Kind { get; init; }
}
