namespace Entrepot.Metadata;

/// <summary>What came of asking for a fetch.</summary>
/// <param name="Status">The fetch joined; when refused, the one whose outcome stands.</param>
/// <param name="Inserted">The fetch is new: ring the doorbell.</param>
/// <param name="Refused">This source failed a short while ago: its outcome stands for the remaining time, and nothing was joined.</param>
public sealed record FetchJoin(FetchStatus Status, bool Inserted, FetchSource? Refused);
