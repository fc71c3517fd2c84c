using System.Net;
using Entrepot.Hosting;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class NetworksFacts
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.0.1", true)]
    [InlineData("10.0.0.0/8", "11.0.0.0", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("10.0.0.0/8", "::a00:1", false)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.6", false)]
    [InlineData("192.0.2.128/25", "192.0.2.127", false)]
    [InlineData(" 192.0.2.128/25", "192.0.2.200", true)]
    [InlineData("0.0.0.0/0", "198.51.100.1", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("2001:db8::/32", "2001:db8:1::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    [InlineData("2001:DB8::1", "2001:db8::1", true)]
    [InlineData("::/0", "2001:db8::1", true)]
    [InlineData("::/0", "10.0.0.1", false)]
    public void A_network_has_its_addresses(string network, string address, bool has) => Assert.Equal(has, Networks.Parse([network]).Contains(IPAddress.Parse(address)));

    [Fact]
    public void Several_networks_are_one_set_and_none_has_no_address()
    {
        var networks = Networks.Parse(["10.0.0.0/8", "2001:db8::/32"]);
        Assert.All(new[] { "10.0.0.1", "2001:db8::1" }, address => Assert.True(networks.Contains(IPAddress.Parse(address))));
        Assert.False(networks.Contains(IPAddress.Parse("192.0.2.1")));
        Assert.False(Networks.Parse([]).Contains(IPAddress.Loopback));
    }

    [Theory]
    [InlineData("10.0.0.0/33", "has no prefix length behind its slash; write 0 to 32 there")]
    [InlineData("10.0.0.0/", "has no prefix length behind its slash; write 0 to 32 there")]
    [InlineData("2001:db8::/129", "has no prefix length behind its slash; write 0 to 128 there")]
    [InlineData("10.0.0.0/-1", "has no prefix length behind its slash; write 0 to 32 there")]
    [InlineData("10.0.0.0/255.0.0.0", "has no prefix length behind its slash; write 0 to 32 there")]
    [InlineData("10.1.2.3/8", "is an address inside a network; write 10.0.0.0/8 for the network, or 10.1.2.3 for the address alone")]
    [InlineData("2001:db8::1/32", "is an address inside a network; write 2001:db8::/32 for the network, or 2001:db8::1 for the address alone")]
    [InlineData("", "is no network; write 10.0.0.0/8, 2001:db8::/32 or a single address")]
    [InlineData("10.1", "is no network; write 10.0.0.0/8, 2001:db8::/32 or a single address")]
    [InlineData("office", "is no network; write 10.0.0.0/8, 2001:db8::/32 or a single address")]
    [InlineData("[::1]", "is no network; write 10.0.0.0/8, 2001:db8::/32 or a single address")]
    [InlineData("::ffff:10.0.0.0/104", "is no network; write 10.0.0.0/8, 2001:db8::/32 or a single address")]
    public void A_mistake_names_key_value_and_fix(string text, string expected)
    {
        Assert.Equal($"Store:RedirectNetworks = \"{text}\": {expected}", Assert.Single(Errors(("Store:RedirectNetworks:0", "10.0.0.0/8"), ("Store:RedirectNetworks:1", text))));
        Assert.Throws<FormatException>(() => Networks.Parse([text]));
    }

    [Theory]
    [InlineData("https://s3.test", null)]
    [InlineData("https://s3.test:9000/", null)]
    [InlineData("https://s3.test/store", "Store:PublicEndpoint = \"https://s3.test/store\": is more than a host; write https://s3.test")]
    [InlineData("https://me:pw@s3.test:9000", "Store:PublicEndpoint = \"https://***@s3.test:9000/\": is more than a host; write https://s3.test:9000")]
    [InlineData("https://s3.test?a=pw", "Store:PublicEndpoint = \"https://s3.test/\": is more than a host; write https://s3.test")]
    public void What_clients_are_sent_to_is_a_host_and_no_more(string url, string? expected) =>
        Assert.Equal(expected is null ? [] : [expected], Errors(("Store:PublicEndpoint", url)));

    [Theory]
    [InlineData("29s")]
    [InlineData("2d")]
    public void A_redirect_lasts_long_enough_to_be_followed_and_not_for_ever(string expiry) =>
        Assert.Equal($"Store:RedirectExpiry = \"{expiry}\": is out of bounds; write 30s to 1d", Assert.Single(Errors(("Store:RedirectExpiry", expiry))));

    private static List<string> Errors(params (string Key, string Value)[] settings)
    {
        var all = new Dictionary<string, string?> { ["Store:Endpoint"] = "http://minio:9000", ["Store:AccessKey"] = "a", ["Store:SecretKey"] = "s" };
        foreach (var (key, value) in settings) all[key] = value;
        return [.. new OptionsSchema().Add<StoreSettings>("Store").Bind(new ConfigurationBuilder().AddInMemoryCollection(all).Build()).Errors.Select(error => error.ToString())];
    }
}
