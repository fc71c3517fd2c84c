using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class IfNoneMatchTests
{
    private const string D = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    private const string Other = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("*")]
    [InlineData(" * ")]
    [InlineData(D)]
    [InlineData("\"" + D + "\"")]
    [InlineData("W/\"" + D + "\"")]
    [InlineData("w/\"" + D + "\"")]
    [InlineData(" \"" + D + "\" ")]
    [InlineData("\"" + Other + "\", \"" + D + "\"")]
    [InlineData("\"" + Other + "\",W/\"" + D + "\"")]
    [InlineData(Other + ", " + D)]
    [InlineData(Other + "," + D + " , x")]
    [InlineData(",, ,\"" + D + "\"")]
    [InlineData("\"a,b\", \"" + D + "\"")]
    [InlineData("\"\",\"" + D + "\"")]
    [InlineData("\"" + Other + "\" \"" + D + "\"")]
    public void The_client_has_it(string header) => Assert.True(IfNoneMatch.Matches(header, Digest.Parse(D)));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(" , ,")]
    [InlineData("\"*\"")]
    [InlineData("**")]
    [InlineData("\"")]
    [InlineData("W/")]
    [InlineData("W/\"")]
    [InlineData("\"" + D)]
    [InlineData(D + "\"")]
    [InlineData("W/" + D)]
    [InlineData(Other)]
    [InlineData("\"" + Other + "\"")]
    [InlineData("\"" + D + "-gzip\"")]
    [InlineData("\"" + Other + "," + D + "\"")]
    [InlineData("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")]
    public void The_client_does_not_have_it(string? header) => Assert.False(IfNoneMatch.Matches(header, Digest.Parse(D)));

    [Fact]
    public void Random_headers_never_throw()
    {
        string[] parts = ["\"", "W/", ",", " ", "x", "\\", D, Other, "\0"];
        var (random, digest, matched) = (new Random(5), Digest.Parse(D), 0);
        for (var i = 0; i < 50_000; i++)
            matched += IfNoneMatch.Matches(string.Concat(random.GetItems(parts, random.Next(8))), digest) ? 1 : 0;
        Assert.InRange(matched, 100, 49_900);
    }
}
