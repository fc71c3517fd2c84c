using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>One pull as the endpoint understood it: which upstream and repository are meant, and what the client sent along.</summary>
internal sealed record PullRequest(HttpContext Http, Upstream Upstream, string Repository)
{
    public bool IsHead => Http.Request.Method == HttpMethods.Head;

    public CancellationToken Aborted => Http.RequestAborted;

    /// <summary>The registry that the client named by <c>ns</c>; empty when it named none.</summary>
    public required string Namespace { get; init; }

    /// <summary>When the request began (timestamp), for what is left of the time to answer in.</summary>
    public required long StartedAt { get; init; }
}
