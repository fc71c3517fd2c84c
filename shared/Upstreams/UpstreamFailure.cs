using Entrepot.Contracts;

namespace Entrepot.Upstreams;

/// <summary>Why an upstream did not give what was asked for.</summary>
/// <param name="Outcome">What it means for the fetch; never <see cref="FetchOutcome.Stored"/>.</param>
/// <param name="Message">One sentence that names the upstream, the thing and the status; never a secret, a token or a query.</param>
/// <param name="RetryAfter">How long the upstream asked us to wait, when it did.</param>
/// <param name="Status">The HTTP status it answered with, when it answered.</param>
public sealed record UpstreamFailure(FetchOutcome Outcome, string Message, TimeSpan? RetryAfter = null, int? Status = null);
