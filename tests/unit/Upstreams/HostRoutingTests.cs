using Entrepot.Upstreams;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class HostRoutingTests
{
    private static UpstreamCatalog Catalog()
    {
        var options = UpstreamsDefaults.Create();
        options["ghcr.io"]!.Hosts = ["ghcr.cache.test", "[::1]:5001"];
        options["quay.io"]!.Hosts = ["cache.test:5002", "plain.test:80"];
        Assert.Empty(UpstreamCatalog.Validate(options, "docker.io"));
        return new UpstreamCatalog(options, "docker.io");
    }

    [Theory]
    [InlineData("ghcr.cache.test", "org/app", "ghcr.io", "org/app")]
    [InlineData("GHCR.cache.test:5000", "org/app", "ghcr.io", "org/app")]
    [InlineData("cache.test:5002", "org/app", "quay.io", "org/app")]
    [InlineData("cache.test", "org/app", "docker.io", "org/app")]
    [InlineData("cache.test:5003", "org/app", "docker.io", "org/app")]
    [InlineData("ghcr.cache.test.:5000", "org/app", "ghcr.io", "org/app")]
    [InlineData("plain.test", "org/app", "quay.io", "org/app")]
    [InlineData("plain.test:81", "org/app", "docker.io", "org/app")]
    [InlineData("[::1]:5001", "org/app", "ghcr.io", "org/app")]
    [InlineData("[::1]", "org/app", "docker.io", "org/app")]
    [InlineData("other.test", "app", "docker.io", "library/app")]
    [InlineData("", "app", "docker.io", "library/app")]
    [InlineData(null, "app", "docker.io", "library/app")]
    [InlineData("ghcr.cache.test", "ghcr.io/org/app", "ghcr.io", "org/app")]
    [InlineData("ghcr.cache.test", "quay.io/org/app", "ghcr.io", "quay.io/org/app")]
    public void A_host_of_an_upstream_means_it_and_goes_before_the_path(string? host, string repository, string upstream, string expected)
    {
        var resolution = Catalog().Resolve(null, host, repository);
        Assert.Equal((upstream, expected), (resolution?.Upstream.Name, resolution?.Repository));
    }

    [Fact]
    public void Ns_goes_before_the_host_and_an_unknown_one_still_leads_nowhere()
    {
        Assert.Equal("quay.io", Catalog().Resolve("quay.io", "ghcr.cache.test", "org/app")?.Upstream.Name);
        Assert.Null(Catalog().Resolve("evil.test", "ghcr.cache.test", "org/app"));
    }

    [Fact]
    public void A_host_is_one_and_means_one_upstream()
    {
        var options = UpstreamsDefaults.Create();
        options["ghcr.io"]!.Hosts = ["a.test", "https://b.test"];
        options["quay.io"]!.Hosts = ["A.test"];
        Assert.Equal(
            [("Upstreams:ghcr.io:Hosts:1", "https://b.test"), ("Upstreams:quay.io:Hosts:0", "A.test")],
            UpstreamCatalog.Validate(options, null).Select(problem => (problem.Key, problem.Value)));
    }
}
