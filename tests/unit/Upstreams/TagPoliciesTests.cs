using Entrepot.Upstreams;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class TagPoliciesTests
{
    private static readonly string Signature = $"sha256-{new string('a', 64)}.sig";

    private static TagPolicy PolicyOf(string tag, UpstreamOptions options)
    {
        options.Url = new Uri("https://a.test");
        return new Upstream("a.test", options).Tags.Of(tag);
    }

    [Fact]
    public void Without_patterns_every_tag_has_the_TTL_and_may_move()
    {
        var policy = PolicyOf("1.27", new UpstreamOptions());
        Assert.Equal(new TagPolicy(TimeSpan.FromSeconds(60), TimeSpan.FromSeconds(10), false), policy);
    }

    [Theory]
    [InlineData("v1.2", 3600)]
    [InlineData("v1.2-rc1", 5)]
    [InlineData("rc1", 5)]
    [InlineData("latest", 60)]
    public void Of_the_TTL_patterns_that_match_the_shortest_counts(string tag, int seconds)
    {
        var options = new UpstreamOptions { TagTtls = new() { ["^v[0-9]"] = TimeSpan.FromHours(1), ["rc[0-9]+$"] = TimeSpan.FromSeconds(5) } };
        Assert.Equal(TimeSpan.FromSeconds(seconds), PolicyOf(tag, options).Ttl);
    }

    [Theory]
    [InlineData("1.27", true)]
    [InlineData("latest", false)]
    [InlineData("latest-1", true)]
    [InlineData("nightly", false)]
    [InlineData("nightly-2026", false)]
    [InlineData("a-nightly", true)]
    public void Immutable_tags_have_the_exclusions_of_moving_names(string tag, bool immutable) =>
        Assert.Equal(immutable, PolicyOf(tag, new UpstreamOptions { ImmutableTags = [".*"] }).IsImmutable);

    [Fact]
    public void Exclusions_can_be_taken_away() =>
        Assert.True(PolicyOf("latest", new UpstreamOptions { ImmutableTags = ["^latest$"], ImmutableTagExclusions = [] }).IsImmutable);

    [Fact]
    public void A_signature_tag_has_its_own_TTL_there_or_not_and_is_never_immutable()
    {
        var options = new UpstreamOptions { TagTtl = TimeSpan.FromHours(1), ImmutableTags = [".*"], SignatureTagTtl = TimeSpan.FromSeconds(7) };
        Assert.Equal(new TagPolicy(TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7), false), PolicyOf(Signature, options));
    }

    [Theory]
    [InlineData("(", "is not a regular expression")]
    [InlineData("(?=a)b", "can't be matched in linear time")]
    [InlineData(@"(a)\1", "can't be matched in linear time")]
    [InlineData("(a{1,1000}){1,1000}", "can't be matched in linear time")]
    [InlineData("", "is empty")]
    public void A_pattern_that_cannot_be_used_is_named_with_its_place(string pattern, string problem)
    {
        UpstreamOptions Good() => new() { Url = new Uri("https://a.test") };
        var (immutable, excluded, ttls) = (Good(), Good(), Good());
        immutable.ImmutableTags = ["ok", pattern];
        excluded.ImmutableTagExclusions = [pattern];
        ttls.TagTtls = new() { [pattern] = TimeSpan.FromSeconds(1) };
        foreach (var (options, key) in new[] { (immutable, "ImmutableTags:1"), (excluded, "ImmutableTagExclusions:0"), (ttls, "TagTtls") })
        {
            var found = Assert.Single(UpstreamCatalog.Validate([new("a.test", options)], null));
            Assert.Equal(($"Upstreams:a.test:{key}", pattern), (found.Key, found.Value));
            Assert.Contains(problem, found.Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_bounds_of_freshness_are_checked()
    {
        var options = new UpstreamOptions
        {
            Url = new Uri("https://a.test"),
            TagGone = (TagGone)9,
            StaleWhileRevalidate = TimeSpan.FromDays(31),
            TagGoneMaxAge = TimeSpan.FromSeconds(-1),
            NotFoundTtl = TimeSpan.FromMinutes(2),
            SignatureTagTtl = TimeSpan.FromMinutes(2),
            TagTtls = new() { ["a"] = TimeSpan.FromDays(31) },
        };
        Assert.Equal(
            ["TagGone", "StaleWhileRevalidate", "TagGoneMaxAge", "NotFoundTtl", "SignatureTagTtl", "TagTtls:a"],
            UpstreamCatalog.Validate([new("a.test", options)], null).Select(problem => problem.Key["Upstreams:a.test:".Length..]));
    }
}
