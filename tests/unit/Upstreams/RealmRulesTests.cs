using Entrepot.Upstreams;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class RealmRulesTests
{
    [Theory]
    [InlineData("https://registry-1.docker.io", "https://auth.docker.io/token", true)]
    [InlineData("https://ghcr.io", "https://ghcr.io/token", true)]
    [InlineData("https://registry.corp.co.uk", "https://auth.corp.co.uk/t", true)]
    [InlineData("https://registry.corp.co.uk", "https://evil.co.uk/t", false)]
    [InlineData("https://registry.example.com", "https://example.com.evil.net/t", false)]
    [InlineData("https://registry.example.com", "https://evilexample.com/t", false)]
    [InlineData("https://registry.example.com", "http://registry.example.com/t", false)]
    [InlineData("https://one.azurecr.io", "https://one.azurecr.io/oauth2/token", true)]
    [InlineData("https://one.azurecr.io", "https://two.azurecr.io/oauth2/token", false)]
    [InlineData("https://a.dkr.ecr.eu-west-1.amazonaws.com", "https://bucket.s3.eu-west-1.amazonaws.com/t", false)]
    [InlineData("https://10.0.0.5:5000", "https://10.0.0.5:5001/t", true)]
    [InlineData("https://10.0.0.5", "https://20.0.0.5/t", false)]
    [InlineData("https://[::1]:5000", "https://[::1]:5001/t", true)]
    [InlineData("http://localhost:5000", "http://localhost:5001/t", true)]
    [InlineData("http://registry:5000", "http://auth:5001/t", false)]
    [InlineData("https://registry.example.com", "https://auth.other.net:8443/t", true)]
    [InlineData("https://registry.example.com", "https://auth.other.net/t", false)]
    public void A_realm_must_be_of_the_upstreams_own_domain_or_be_allowed(string url, string realm, bool allowed)
    {
        var upstream = new Upstream("x.test", new UpstreamOptions { Url = new Uri(url), TokenHosts = ["auth.other.net:8443"] });

        Assert.Equal(allowed, RealmRules.FindFault(upstream, realm) is null);
    }

    [Fact]
    public void Docker_Hub_may_always_send_us_to_its_token_service()
    {
        var mirror = new UpstreamOptions { Url = new Uri("https://mirror.corp.example") };

        Assert.Null(RealmRules.FindFault(new Upstream("docker.io", mirror), "https://auth.docker.io/token"));
        Assert.NotNull(RealmRules.FindFault(new Upstream("other.io", mirror), "https://auth.docker.io/token"));
    }
}
