using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class TokenChallengeTests
{
    private const string Hub = "https://auth.docker.io/token";

    [Theory]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\",scope=\"repository:library/nginx:pull\"", Hub, "registry.docker.io", "repository:library/nginx:pull")]
    [InlineData("bearer REALM=\"https://auth.docker.io/token\", Service=\"a\"", Hub, "a", null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\"", Hub, null, null)]
    [InlineData("  Bearer   realm = \"https://auth.docker.io/token\" , scope = \"repository:a:pull,push\" ", Hub, null, "repository:a:pull,push")]
    [InlineData("Bearer realm=https://auth.docker.io/token,service=a", Hub, "a", null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\" service=\"a\" scope=\"b\"", Hub, "a", "b")]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"a\",scope=\"b\",error=\"insufficient_scope\"", Hub, "a", "b")]
    [InlineData("Bearer realm=\"https://a.b/t?x=1,2&y=\\\"q\\\"\",service=\"s\\\\t\"", "https://a.b/t?x=1,2&y=\"q\"", "s\\t", null)]
    [InlineData("Basic realm=\"x\", Bearer realm=\"https://auth.docker.io/token\",service=\"a\"", Hub, "a", null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"a\", Basic realm=\"x\"", Hub, "a", null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"a\",Basic realm=\"x\",charset=\"UTF-8\"", Hub, "a", null)]
    [InlineData("Negotiate, Bearer realm=\"https://auth.docker.io/token\"", Hub, null, null)]
    [InlineData("Negotiate TlRMTVNTUAAC==, Bearer realm=\"https://auth.docker.io/token\"", Hub, null, null)]
    [InlineData("Digest realm=\"d\", nonce=\"n\", Bearer realm=\"https://auth.docker.io/token\"", Hub, null, null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",realm=\"https://evil.test/\"", Hub, null, null)]
    [InlineData("Bearer service=\"none\", Bearer realm=\"https://auth.docker.io/token\"", Hub, null, null)]
    [InlineData("Bearer realm=\"\", Bearer realm=\"https://auth.docker.io/token\"", Hub, null, null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",scope=\"\"", Hub, null, "")]
    [InlineData(", ,Bearer realm=\"https://auth.docker.io/token\",,service=\"a\",", Hub, "a", null)]
    [InlineData("Bearer realm=\"https://auth.docker.io/token\",service=\"Basic realm=x\"", Hub, "Basic realm=x", null)]
    public void Bearer_challenges_are_read(string header, string realm, string? service, string? scope)
    {
        Assert.True(TokenChallenge.TryParse(header, out var challenge));
        Assert.Equal(new TokenChallenge.Bearer(realm, service, scope), challenge);
    }

    [Theory]
    [InlineData("Basic realm=\"Registry Realm\"", "Registry Realm")]
    [InlineData("BASIC realm=registry", "registry")]
    [InlineData("Basic", "")]
    [InlineData("Basic realm=\"\"", "")]
    [InlineData("Basic realm=\"a\", charset=\"UTF-8\"", "a")]
    [InlineData("Basic realm=\"first\", Basic realm=\"second\"", "first")]
    [InlineData("Bearer service=\"no realm\", Basic realm=\"a\"", "a")]
    [InlineData("Negotiate abc=, Basic realm=\"a\"", "a")]
    [InlineData("Bearer, Basic realm=\"a\"", "a")]
    public void Basic_challenges_are_read(string header, string realm)
    {
        Assert.True(TokenChallenge.TryParse(header, out var challenge));
        Assert.Equal(new TokenChallenge.Basic(realm), challenge);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData(",,,")]
    [InlineData("Bearer")]
    [InlineData("Bearer realm=")]
    [InlineData("Bearer realm=\"\"")]
    [InlineData("Bearer realm=\"https://cut.off")]
    [InlineData("Bearer realm")]
    [InlineData("Bearer service=\"a\"")]
    [InlineData("Negotiate")]
    [InlineData("Digest realm=\"a\"")]
    [InlineData("realm=\"a\"")]
    [InlineData("BearerX realm=\"a\"")]
    [InlineData("=\"\"=")]
    public void Other_headers_hold_no_challenge_of_ours(string? header)
    {
        Assert.False(TokenChallenge.TryParse(header, out var challenge));
        Assert.Null(challenge);
    }

    [Fact]
    public void Random_headers_never_throw_and_always_end()
    {
        string[] parts = ["Bearer", "Basic", "realm", "service", "=", "\"", "\\", ",", " ", "\t", "x", "abc==", "https://a/b", "\0", "é"];
        var (random, read) = (new Random(6), 0);
        for (var i = 0; i < 50_000; i++)
        {
            var header = string.Concat(random.GetItems(parts, random.Next(14)));
            if (TokenChallenge.TryParse(header, out var challenge))
            {
                read++;
                Assert.True(challenge is TokenChallenge.Basic or TokenChallenge.Bearer { Realm.Length: > 0 }, header);
            }
        }

        Assert.InRange(read, 100, 49_900);
    }
}
