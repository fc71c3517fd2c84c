using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class FallbackTagTests
{
    private static readonly string Hex = new('a', 64);

    [Theory]
    [InlineData("")]
    [InlineData(".sig")]
    [InlineData(".att")]
    [InlineData(".sbom")]
    public void A_tag_that_stands_for_a_digest_is_known_by_its_shape(string suffix)
    {
        Assert.True(FallbackTag.Is($"sha256-{Hex}{suffix}"));
        Assert.True(FallbackTag.Is($"sha512-{Hex}{suffix}"));
        Assert.True(FallbackTag.Is($"sha512-{Hex}{Hex}{suffix}"));
    }

    [Theory]
    [InlineData("latest")]
    [InlineData("sha256-abc")]
    [InlineData("sha256-abc.sig")]
    [InlineData("")]
    public void Other_tags_are_not(string tag) => Assert.False(FallbackTag.Is(tag));

    [Fact]
    public void Neither_are_tags_with_other_letters_or_lengths()
    {
        Assert.False(FallbackTag.Is($"sha256-{Hex.ToUpperInvariant()}.sig"));
        Assert.False(FallbackTag.Is($"sha256-{Hex}a"));
        Assert.False(FallbackTag.Is($"md5-{Hex}"));
    }
}
