using Entrepot.Contracts;
using Entrepot.Metadata;

namespace Entrepot.Api.Pull;

/// <summary>How a fetch ended for one waiter, when it did not end well.</summary>
internal sealed record FetchFailure(FetchOutcome Outcome, string Message, TimeSpan? RetryAfter)
{
    public static FetchFailure Of(FetchSource source) => new(source.Outcome!.Value, source.Message ?? "", source.RetryAfter);
}
