using System.Net;
using Entrepot.Api;
using Entrepot.Api.Endpoints;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Api;

public sealed class ClientAddressesTests
{
    [Theory]
    [InlineData("192.0.2.1", null, "192.0.2.1")]
    [InlineData("192.0.2.1", "10.0.0.9", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "10.0.0.9", "::ffff:192.0.2.1")]
    public void A_peer_that_is_no_trusted_proxy_is_the_client_whatever_it_says(string peer, string? forwardedFor, string client) => Assert.Equal(client, Of(peer, forwardedFor));

    [Theory]
    [InlineData("198.51.100.1", "198.51.100.1")]
    [InlineData("10.0.0.9, 198.51.100.1", "198.51.100.1")] // The client's own claim stands left of what the proxy says.
    [InlineData("198.51.100.1,172.18.0.3", "198.51.100.1")] // Two proxies.
    [InlineData("10.0.0.9, 198.51.100.1, 172.18.0.3, 172.18.0.4", "198.51.100.1")]
    [InlineData("172.18.0.9, 172.18.0.3", "172.18.0.9")] // A client among the proxies.
    [InlineData("198.51.100.1:5123", "198.51.100.1")]
    [InlineData("[2001:db8::1]:5123", "2001:db8::1")]
    [InlineData("2001:db8::1", "2001:db8::1")]
    [InlineData("garbage, 198.51.100.1", "198.51.100.1")]
    public void A_trusted_proxy_says_who_the_client_is(string forwardedFor, string client)
    {
        Assert.Equal(client, Of("172.18.0.2", forwardedFor));
        Assert.Equal(client, Of("::ffff:172.18.0.2", forwardedFor));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("unknown")]
    [InlineData("198.51.100.1,")]
    [InlineData("198.51.100.1, unknown")]
    [InlineData("198.51.100.1, unknown, 172.18.0.3")]
    public void Nobody_is_guessed_when_a_trusted_proxy_says_nothing_that_can_be_read(string? forwardedFor) => Assert.Null(Of("172.18.0.2", forwardedFor));

    [Fact]
    public void Several_headers_are_one_list()
    {
        var http = Request("172.18.0.2");
        http.Request.Headers["X-Forwarded-For"] = new(["198.51.100.1", "198.51.100.2, 172.18.0.3"]);
        Assert.Equal("198.51.100.2", New("172.18.0.0/16").OfOrNull(http)?.ToString());
    }

    [Fact]
    public void Without_trusted_proxies_the_peer_is_the_client()
    {
        var http = Request("172.18.0.2");
        http.Request.Headers["X-Forwarded-For"] = "198.51.100.1";
        Assert.Equal("172.18.0.2", New().OfOrNull(http)?.ToString());
    }

    private static string? Of(string peer, string? forwardedFor)
    {
        var http = Request(peer);
        if (forwardedFor is not null) http.Request.Headers["X-Forwarded-For"] = forwardedFor;
        return New("172.18.0.0/16").OfOrNull(http)?.ToString();
    }

    private static ClientAddresses New(params string[] trusted) => new(new ApiOptions { TrustedProxies = trusted });

    private static DefaultHttpContext Request(string peer)
    {
        var http = new DefaultHttpContext();
        http.Connection.RemoteIpAddress = IPAddress.Parse(peer);
        return http;
    }

    [Theory]
    [InlineData("10.0.0.7", null, "10.0.0.7")]
    [InlineData("::ffff:10.0.0.7", null, "10.0.0.7")]
    [InlineData("fd00::1", null, "fd00::1")]
    [InlineData("10.0.0.1", "10.0.0.7", "10.0.0.7 via 10.0.0.1")]
    [InlineData("10.0.0.1", "forged, 10.0.0.7", "10.0.0.7 via 10.0.0.1")]
    [InlineData("10.0.0.1", "10.0.0.7, forged\u001b[31m", "10.0.0.1")]
    [InlineData("10.0.0.1", ",", "10.0.0.1")]
    public void The_log_names_the_client_and_the_proxy_that_says_so(string peer, string? forwarded, string expected)
    {
        var http = new DefaultHttpContext { Connection = { RemoteIpAddress = IPAddress.Parse(peer) } };
        if (forwarded is not null) http.Request.Headers["X-Forwarded-For"] = forwarded;
        Assert.Equal(expected, ClientAddresses.ForLog(http));
    }
}
