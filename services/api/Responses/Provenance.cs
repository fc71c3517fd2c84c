using System.Globalization;
using Entrepot.Api.Pull;
using Entrepot.Contracts;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Where an answer came from and how current it is, as its headers say it.</summary>
/// <param name="Cache">The X-Cache header.</param>
/// <param name="Age">How long ago the upstream confirmed what is served; null for content, which does not age.</param>
/// <param name="Warning">Why it could not be confirmed again, for people; null when nothing is wrong.</param>
internal readonly record struct Provenance(CacheState Cache, TimeSpan? Age = null, string? Warning = null)
{
    /// <summary>What is held, served although its upstream did not confirm it.</summary>
    public static Provenance Unconfirmed(TimeSpan age, FetchFailure failure) => new(CacheState.Stale, age, failure.Outcome switch
    {
        FetchOutcome.NotFound => "stale: it is gone from its upstream",
        FetchOutcome.Denied => "stale: the upstream denied access to it",
        FetchOutcome.RateLimited => "stale: the upstream's rate limit is used up",
        FetchOutcome.Corrupt or FetchOutcome.TooLarge => "stale: what the upstream sent instead is unusable",
        _ => "stale: the upstream did not answer in time or failed",
    });

    /// <summary>Writes the headers. Source: RFC 9111 §5.1 (Age), and §5.5 (Warning, code 299) as clients of registries still show it.</summary>
    public void WriteTo(IHeaderDictionary headers)
    {
        Cache.Say(headers);
        if (Age is { } age) headers.Age = ((long)age.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        if (Warning is not null) headers.Append("Warning", $"299 - \"{Warning}\"");
    }
}
