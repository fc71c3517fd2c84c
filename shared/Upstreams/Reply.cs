using System.Net;

namespace Entrepot.Upstreams;

/// <summary>The last response of a chain of challenges and redirects, with its headers read and its body not.</summary>
/// <param name="Response">Owned by whoever holds the reply.</param>
/// <param name="FinalUri">Where it came from. May hold a signed query: never for messages.</param>
/// <param name="WasRedirected">Whether that is not where the call was sent.</param>
internal sealed record Reply(HttpResponseMessage Response, Uri FinalUri, bool WasRedirected) : IDisposable
{
    public HttpStatusCode Status => Response.StatusCode;

    public void Dispose() => Response.Dispose();
}
