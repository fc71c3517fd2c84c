using System.Net.Http.Headers;

namespace Entrepot.Upstreams;

/// <summary>One thing to ask of an upstream.</summary>
/// <param name="Method">GET or HEAD.</param>
/// <param name="Uri">Where; a reused redirect target or a further page as well as the registry's own address.</param>
/// <param name="Repository">Whose token it needs.</param>
/// <param name="Subject">What it is, for messages: <c>manifest library/nginx:latest</c>.</param>
internal sealed record UpstreamCall(HttpMethod Method, Uri Uri, string Repository, string Subject)
{
    /// <summary>The Accept header, if it matters.</summary>
    public string? Accept { get; init; }

    /// <summary>The bytes wanted, if not all.</summary>
    public RangeHeaderValue? Range { get; init; }
}
