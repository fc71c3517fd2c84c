using System.Net;
using Entrepot.Api.Responses;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Api;

public sealed class ClientAddressTests
{
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
        Assert.Equal(expected, ClientAddress.Of(http));
    }
}
