using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Metadata;

namespace Entrepot.Api.Pull;

/// <summary>How a fetch ended for one waiter, when it did not end well.</summary>
/// <param name="Outcome">What its upstream made of it.</param>
/// <param name="Message">The same for people.</param>
/// <param name="RetryAfter">When asking again may help.</param>
/// <param name="Cache">Whether this request made the upstream be asked, shared that, or is told what was remembered.</param>
internal sealed record FetchFailure(FetchOutcome Outcome, string Message, TimeSpan? RetryAfter, CacheState Cache)
{
    public static FetchFailure Of(FetchSource source, CacheState cache) => new(source.Outcome!.Value, source.Message ?? "", source.RetryAfter, cache);
}
