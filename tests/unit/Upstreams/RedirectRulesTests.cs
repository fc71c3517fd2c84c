using Entrepot.Upstreams;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class RedirectRulesTests
{
    [Theory]
    [InlineData("https://a.test", "https://cdn.test/x?sig=secret", true)]
    [InlineData("https://a.test", "/elsewhere", true)]
    [InlineData("https://a.test", "//cdn.test/x", true)]
    [InlineData("https://a.test", "http://cdn.test/x?sig=secret", false)]
    [InlineData("https://a.test", "http://a.test/x?sig=secret", false)]
    [InlineData("http://a.test", "http://cdn.test/x", true)]
    [InlineData("http://a.test", "https://cdn.test/x", true)]
    [InlineData("https://a.test", "https://user:secret@cdn.test/x", false)]
    [InlineData("https://a.test", "file:///etc/secret", false)]
    public void A_redirect_never_leads_from_https_to_plain_http(string url, string location, bool allowed)
    {
        var upstream = new Upstream("a.test", new UpstreamOptions { Url = new Uri(url) });

        var fault = RedirectRules.FindFault(upstream, upstream.Url, new Uri(location, UriKind.RelativeOrAbsolute), 1, out _);

        Assert.Equal(allowed, fault is null);
        Assert.DoesNotContain("secret", fault ?? "", StringComparison.Ordinal);
    }
}
