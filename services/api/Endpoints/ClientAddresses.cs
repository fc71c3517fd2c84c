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

    /// <summary>Who asked, for the log alone, where nothing is allowed or refused by it: the connection's other end; where that is a proxy that names its own client, <c>client via proxy</c>.</summary>
    public static string ForLog(HttpContext http)
    {
        var peer = Text(http.Connection.RemoteIpAddress);
        // The last word is that of the nearest proxy; those before it are whatever was sent to it.
        var forwarded = http.Request.Headers["X-Forwarded-For"].ToString();
        return forwarded.Length > 0 && IPAddress.TryParse(forwarded.AsSpan(forwarded.LastIndexOf(',') + 1).Trim(), out var client) ? $"{Text(client)} via {peer}" : peer;
    }

    private static string Text(IPAddress? address) => (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "";
}
