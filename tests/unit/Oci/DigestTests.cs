using System.Text;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class DigestTests
{
    private const string Empty256 = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private const string Hello256 = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    public static TheoryData<string?> Malformed => new()
    {
        null,
        "",
        "latest",
        "sha256",
        "sha256:",
        Empty256[..^1],
        Empty256 + "0",
        Empty256.ToUpperInvariant(),
        "sha256:" + new string('A', 64),
        "SHA256:" + new string('a', 64),
        "sha256:" + new string('g', 64),
        "sha256-" + new string('a', 64),
        "sha256:" + new string('a', 128),
        "sha512:" + new string('a', 64),
        "sha512:" + new string('a', 127),
        "sha384:" + new string('a', 96),
        "blake3:" + new string('a', 64),
        " " + Empty256,
        Empty256 + " ",
        "sha256:" + new string('a', 63) + "\u0661",
        "sha256:" + new string('a', 63) + "\0",
        "sha256::" + new string('a', 63),
    };

    [Theory]
    [InlineData(Empty256, "sha256")]
    [InlineData(Hello256, "sha256")]
    public void Well_formed_digests_are_read_and_written_back(string text, string algorithm)
    {
        Assert.True(Digest.TryParse(text, out var digest));
        Assert.Same(text, digest.ToString());
        Assert.Equal(algorithm, digest.Algorithm);
        Assert.Equal(text[7..], digest.Hex);
        Assert.True(Digest.TryParse(text.AsSpan(), out var fromSpan));
        Assert.Equal(digest, fromSpan);
        Assert.Equal(digest.GetHashCode(), fromSpan.GetHashCode());
    }

    [Fact]
    public void Sha512_is_read_and_written_back()
    {
        var text = "sha512:" + new string('0', 127) + "f";
        var digest = Digest.Parse(text);
        Assert.Equal("sha512", digest.Algorithm);
        Assert.Equal(128, digest.Hex.Length);
        Assert.Equal(text, digest.ToString());
    }

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Malformed_digests_are_refused(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.Equal(default, digest);
        Assert.False(Digest.TryParse(text.AsSpan(), out _));
        Assert.False(Digest.TryParse(text, null, out _));
        Assert.Throws<FormatException>(() => Digest.Parse(text!));
    }

    [Fact]
    public void The_default_digest_has_no_text()
    {
        Assert.Throws<InvalidOperationException>(() => default(Digest).ToString());
        Assert.Throws<InvalidOperationException>(() => default(Digest).Hex);
        Assert.Throws<InvalidOperationException>(() => default(Digest).Algorithm);
        Assert.Throws<InvalidOperationException>(() => default(Digest).Matches([]));
    }

    [Fact]
    public void Known_content_has_its_known_digest()
    {
        Assert.Equal(Empty256, Digest.Sha256Of([]).ToString());
        Assert.Equal(Hello256, Digest.Sha256Of("hello"u8).ToString());
    }

    [Theory]
    [InlineData("sha256")]
    [InlineData("sha512")]
    public void A_running_hash_ends_in_the_digest_of_the_whole(string algorithm)
    {
        var zeros = Digest.FromHash(algorithm, new byte[algorithm == "sha256" ? 32 : 64]);
        using var hash = zeros.CreateHash();
        hash.AppendData("hel"u8);
        hash.AppendData("lo"u8);
        var digest = Digest.FromHash(algorithm, hash.GetHashAndReset());
        Assert.Equal(algorithm, digest.Algorithm);
        Assert.True(digest.Matches("hello"u8));
        Assert.False(digest.Matches("hellO"u8));
        Assert.False(zeros.Matches("hello"u8));
        Assert.True(Digest.TryParse(digest.ToString(), out var again));
        Assert.Equal(digest, again);
    }

    [Theory]
    [InlineData("sha256", 31)]
    [InlineData("sha256", 64)]
    [InlineData("sha512", 32)]
    [InlineData("md5", 16)]
    [InlineData("", 0)]
    public void A_hash_of_the_wrong_length_or_algorithm_is_refused(string algorithm, int length) =>
        Assert.Throws<ArgumentException>(() => Digest.FromHash(algorithm, new byte[length]));

    [Fact]
    public void A_refused_digest_is_shown_cut_and_clean()
    {
        var error = Assert.Throws<FormatException>(() => Digest.Parse("\u001b[31m\n" + new string('x', 500)));
        Assert.Contains("'?[31m?xxx", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 300);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Random_text_never_throws_and_valid_text_always_round_trips()
    {
        var random = new Random(1);
        var valid = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var text = new StringBuilder(Hello256);
            for (var edits = random.Next(3); edits > 0; edits--)
                text[random.Next(text.Length)] = (char)random.Next(32, 127);
            if (Digest.TryParse(text.ToString(), out var digest))
            {
                valid++;
                Assert.Equal(text.ToString(), digest.ToString());
                Assert.Matches("^sha256:[0-9a-f]{64}$", digest.ToString());
            }
        }

        Assert.InRange(valid, 1, 19_999);
    }
}
