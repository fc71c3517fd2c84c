using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>How many active fetches of one kind are in one state.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="State">Queued or running.</param>
/// <param name="Count">How many.</param>
/// <param name="Oldest">How long ago, by the database's clock, the oldest of them was asked for.</param>
public sealed record QueueLength(FetchKind Kind, FetchState State, long Count, TimeSpan Oldest);
