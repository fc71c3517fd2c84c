using Entrepot.Upstreams;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class UpstreamValidationTests
{
    private static UpstreamOptions Good(Action<UpstreamOptions>? change = null)
    {
        var options = new UpstreamOptions { Url = new Uri("https://a.test") };
        change?.Invoke(options);
        return options;
    }

    private static string[] KeysOf(string name, UpstreamOptions options) =>
        [.. UpstreamCatalog.Validate([new(name, options)], null).Select(problem => problem.Key)];

    [Theory]
    [InlineData("library")]
    [InlineData("public")]
    [InlineData("a.test/x")]
    [InlineData("https://a.test")]
    [InlineData("a..test")]
    [InlineData("")]
    public void A_name_must_look_like_a_registry_host(string name) => Assert.Equal([$"Upstreams:{name}"], KeysOf(name, Good()));

    [Theory]
    [InlineData("a.test")]
    [InlineData("localhost")]
    [InlineData("registry:5000")]
    [InlineData("10.0.0.1")]
    [InlineData("[::1]:5000")]
    public void A_registry_host_is_a_good_name(string name) => Assert.Empty(KeysOf(name, Good()));

    [Theory]
    [InlineData("a.test")]
    [InlineData("/a")]
    [InlineData("ftp://a.test")]
    [InlineData("https://jane:topsecret@a.test")]
    [InlineData("https://a.test?x=topsecret")]
    [InlineData("https://a.test/#x")]
    [InlineData("https://a.test/v2/")]
    public void A_Url_must_be_a_plain_address(string url)
    {
        var problems = UpstreamCatalog.Validate([new("a.test", Good(options => options.Url = new Uri(url, UriKind.RelativeOrAbsolute)))], null);

        Assert.Equal("Upstreams:a.test:Url", Assert.Single(problems).Key);
        Assert.DoesNotContain("topsecret", problems[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_Url_may_have_a_path_and_must_be_there()
    {
        Assert.Empty(KeysOf("a.test", Good(options => options.Url = new Uri("https://a.test/artifactory/api"))));
        Assert.Equal(["Upstreams:a.test:Url"], KeysOf("a.test", Good(options => options.Url = null)));
    }

    [Fact]
    public void An_account_has_a_name_and_a_password()
    {
        Assert.Equal(["Upstreams:a.test:Password"], KeysOf("a.test", Good(options => options.Username = "jane")));
        Assert.Equal(["Upstreams:a.test:Username"], KeysOf("a.test", Good(options => options.Password = "x")));
        Assert.Equal(["Upstreams:a.test:Username"], KeysOf("a.test", Good(options => (options.Username, options.Password) = ("a:b", "x"))));
    }

    [Fact]
    public void Every_bound_is_checked_and_all_mistakes_come_at_once()
    {
        var options = Good(options =>
        {
            options.Visibility = (UpstreamVisibility)7;
            options.TagTtl = TimeSpan.FromSeconds(-1);
            options.Connections = 0;
            options.MaxConcurrentRequests = 2000;
            options.ConnectTimeout = TimeSpan.Zero;
            options.HeaderTimeout = TimeSpan.FromHours(1);
            options.StallTimeout = TimeSpan.FromMilliseconds(1);
            options.TokenHosts = ["auth.test", "https://auth.test"];
        });

        var problems = UpstreamCatalog.Validate([new("a.test", options)], "missing.test");

        Assert.Equal(
            ["Visibility", "TagTtl", "Connections", "MaxConcurrentRequests", "ConnectTimeout", "HeaderTimeout", "StallTimeout", "TokenHosts:1"],
            problems.SkipLast(1).Select(problem => problem.Key["Upstreams:a.test:".Length..]));
        Assert.Equal(("DefaultUpstream", "missing.test", "is not a configured upstream", "use one of a.test, or leave it empty"), problems[^1]);
        Assert.Contains(("Upstreams:a.test:Connections", "0", "is out of bounds", "use 1 to 16"), problems);
    }

    [Fact]
    public void A_removed_upstream_is_not_checked_and_cannot_be_the_default()
    {
        Assert.Empty(UpstreamCatalog.Validate([new("library", null), new("a.test", Good())], "a.test"));
        Assert.Single(UpstreamCatalog.Validate([new("docker.io", null), new("a.test", Good())], "docker.io"));
        Assert.Empty(UpstreamCatalog.Validate([new("docker.io", Good())], "index.docker.io"));
    }

    [Theory]
    [InlineData("Docker")]
    [InlineData("a/b")]
    [InlineData("library")]
    [InlineData("b.test")]
    [InlineData("same")]
    public void A_prefix_is_one_free_path_segment(string prefix)
    {
        var problems = UpstreamCatalog.Validate(
            [new("c.test", Good(options => options.Prefix = "same")), new("b.test", Good()), new("a.test", Good(options => options.Prefix = prefix))], null);

        var problem = Assert.Single(problems);
        Assert.Equal(("Upstreams:a.test:Prefix", prefix), (problem.Key, problem.Value));
    }
}
