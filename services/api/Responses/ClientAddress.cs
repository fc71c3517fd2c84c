using System.Net;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Responses;

/// <summary>Who asked, for the log alone: nothing is allowed or refused by it.</summary>
internal static class ClientAddress
{
    /// <summary>The connection's other end; where that is a proxy that names its own client, <c>client via proxy</c>.</summary>
    public static string Of(HttpContext http)
    {
        var peer = Text(http.Connection.RemoteIpAddress);
        // The last word is that of the nearest proxy; those before it are whatever was sent to it.
        var forwarded = http.Request.Headers["X-Forwarded-For"].ToString();
        return forwarded.Length > 0 && IPAddress.TryParse(forwarded.AsSpan(forwarded.LastIndexOf(',') + 1).Trim(), out var client) ? $"{Text(client)} via {peer}" : peer;
    }

    private static string Text(IPAddress? address) => (address is { IsIPv4MappedToIPv6: true } ? address.MapToIPv4() : address)?.ToString() ?? "";
}
