using System.Net;
using Entrepot.Hosting;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Endpoints;

/// <summary>Tells where a request comes from, behind proxies too. Thread-safe.</summary>
internal sealed class ClientAddresses(ApiOptions options)
{
    private readonly Networks _proxies = Networks.Parse(options.TrustedProxies);

    /// <summary>
    /// The peer's address; of a trusted proxy's request the right-most entry of X-Forwarded-For that is no trusted proxy itself: what stands left of that, anybody may
    /// have written. Null when a trusted proxy does not say, or nothing that can be read.
    /// </summary>
    public IPAddress? OfOrNull(HttpContext http)
    {
        if (http.Connection.RemoteIpAddress is not { } peer || !_proxies.Contains(peer)) return http.Connection.RemoteIpAddress;
        IPAddress? client = null;
        foreach (var text in http.Request.Headers["X-Forwarded-For"].ToString().Split(',', StringSplitOptions.TrimEntries).Reverse())
        {
            // Some proxies add the port.
            if (!IPEndPoint.TryParse(text, out var entry)) return null;
            client = entry.Address;
            if (!_proxies.Contains(client)) break;
        }
        return client;
    }
}
