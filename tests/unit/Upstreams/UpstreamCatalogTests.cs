using Entrepot.Upstreams;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class UpstreamCatalogTests
{
    private static UpstreamCatalog Catalog(string? defaultUpstream = "docker.io")
    {
        var options = UpstreamsDefaults.Create();
        options["docker.io"]!.Prefix = "docker-io";
        options["gcr.io"] = null;
        options["lab.test"] = new UpstreamOptions { Url = new Uri("http://127.0.0.1:5101") };
        options["localhost:5000"] = new UpstreamOptions { Url = new Uri("http://localhost:5000") };
        return new UpstreamCatalog(options, defaultUpstream);
    }

    [Theory]
    [InlineData(null, "nginx", "docker.io", "library/nginx")]
    [InlineData(null, "library/nginx", "docker.io", "library/nginx")]
    [InlineData(null, "team/app", "docker.io", "team/app")]
    [InlineData("", "team/app", "docker.io", "team/app")]
    [InlineData(null, "docker.io/nginx", "docker.io", "library/nginx")]
    [InlineData(null, "docker-io/nginx", "docker.io", "library/nginx")]
    [InlineData(null, "index.docker.io/nginx", "docker.io", "library/nginx")]
    [InlineData(null, "lab.test/nginx", "lab.test", "nginx")]
    [InlineData(null, "lab.test", "docker.io", "library/lab.test")]
    [InlineData(null, "ghcr.io/org/team/app", "ghcr.io", "org/team/app")]
    [InlineData("ghcr.io", "org/app", "ghcr.io", "org/app")]
    [InlineData("GHCR.io", "org/app", "ghcr.io", "org/app")]
    [InlineData("registry-1.docker.io", "nginx", "docker.io", "library/nginx")]
    [InlineData("localhost:5000", "nginx", "localhost:5000", "nginx")]
    [InlineData("ghcr.io", "lab.test/app", "ghcr.io", "lab.test/app")]
    [InlineData("docker.io", "docker.io/library/nginx", "docker.io", "library/nginx")]
    [InlineData("docker.io", "docker-io/nginx", "docker.io", "library/nginx")]
    public void Ns_goes_before_prefix_and_prefix_before_default(string? ns, string repository, string upstream, string expected)
    {
        var resolution = Catalog().Resolve(ns, null, repository);

        Assert.Equal((upstream, expected), (resolution?.Upstream.Name, resolution?.Repository));
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("gcr.io")]
    [InlineData("127.0.0.1:5101")]
    [InlineData("docker-io")]
    public void An_unknown_ns_leads_nowhere(string ns) => Assert.Null(Catalog().Resolve(ns, null, "library/nginx"));

    [Fact]
    public void Without_a_default_only_named_upstreams_are_reached()
    {
        Assert.Null(Catalog(defaultUpstream: null).Resolve(null, null, "library/nginx"));
        Assert.Equal("ghcr.io", Catalog(defaultUpstream: "").Resolve(null, null, "ghcr.io/org/app")?.Upstream.Name);
    }

    [Fact]
    public void Credentials_or_privacy_make_a_trust_domain_of_its_own()
    {
        static string Domain(UpstreamOptions options)
        {
            options.Url = new Uri("https://a.test");
            return new Upstream("a.test", options).TrustDomain;
        }

        Assert.Equal("public", Domain(new UpstreamOptions()));
        Assert.Equal("a.test", Domain(new UpstreamOptions { Visibility = UpstreamVisibility.Private }));
        Assert.Equal("a.test", Domain(new UpstreamOptions { Username = "jane", Password = "x" }));
    }

    [Fact]
    public void The_built_in_upstreams_are_valid_and_https()
    {
        var options = UpstreamsDefaults.Create();

        Assert.Empty(UpstreamCatalog.Validate(options, "docker.io"));
        Assert.Equal(
            ["docker.io", "gcr.io", "ghcr.io", "mcr.microsoft.com", "public.ecr.aws", "quay.io", "registry.k8s.io"],
            options.Keys.Order(StringComparer.Ordinal));
        Assert.All(options.Values, upstream => Assert.Equal("https", upstream!.Url!.Scheme));
    }
}
