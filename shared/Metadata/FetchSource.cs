using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>A repository that may be asked for the bytes, and what came of it.</summary>
/// <param name="Upstream">The upstream's configured name.</param>
/// <param name="Repository">The repository at the upstream.</param>
/// <param name="Outcome">
/// Null while it has not been asked to the end. It stays null when another source stored the bytes first: its waiters then look again,
/// because that another repository has the bytes does not say that theirs does.
/// </param>
/// <param name="Message">What went wrong, for people.</param>
/// <param name="RetryAfter">What remains, by the database's clock, of the time in which a new request gets this outcome; null when that is over.</param>
public sealed record FetchSource(string Upstream, string Repository, FetchOutcome? Outcome, string? Message, TimeSpan? RetryAfter);
