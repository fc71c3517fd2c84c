namespace Entrepot.Upstreams;

/// <summary>What an upstream last said about its pull limit. Source: Docker Hub's <c>ratelimit-limit</c> and <c>ratelimit-remaining</c> headers.</summary>
/// <param name="Limit">Pulls per window, if said.</param>
/// <param name="Remaining">Pulls left in the window.</param>
/// <param name="Window">The window's length, if said.</param>
/// <param name="SeenAt">When it said so.</param>
public sealed record UpstreamQuota(long? Limit, long Remaining, TimeSpan? Window, DateTimeOffset SeenAt);
