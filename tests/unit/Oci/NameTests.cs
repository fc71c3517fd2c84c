using System.Text.RegularExpressions;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class NameTests
{
    private const string Grammar = @"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\z";

    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("nginx")]
    [InlineData("library/nginx")]
    [InlineData("docker.io/library/nginx")]
    [InlineData("a/b/c/d/e/f/g")]
    [InlineData("a.b_c__d-e---f")]
    [InlineData("manifests/blobs/tags/list")]
    [InlineData("ghcr.io/org-name/repo_name")]
    [InlineData("1.2.3/4-5")]
    public void Names_of_the_grammar_are_read(string text)
    {
        Assert.True(RepositoryName.TryParse(text, out var name));
        Assert.Same(text, name.ToString());
        Assert.Equal(name, RepositoryName.Parse(text));
        Assert.True(RepositoryName.TryParse(text.AsSpan(), out var fromSpan));
        Assert.Equal(name, fromSpan);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData("A")]
    [InlineData("a/B")]
    [InlineData("-a")]
    [InlineData("a-")]
    [InlineData("a.")]
    [InlineData(".a")]
    [InlineData("a..b")]
    [InlineData("a___b")]
    [InlineData("a_-b")]
    [InlineData("a-_b")]
    [InlineData("a._b")]
    [InlineData("a/../b")]
    [InlineData("..")]
    [InlineData("a/./b")]
    [InlineData("a:b")]
    [InlineData("localhost:5000/a")]
    [InlineData("a@b")]
    [InlineData("a b")]
    [InlineData("a%2fb")]
    [InlineData("a\\b")]
    [InlineData("a\0")]
    [InlineData("a\n")]
    [InlineData("é")]
    [InlineData("ａ")]
    public void Other_names_are_refused(string? text)
    {
        Assert.False(RepositoryName.TryParse(text, out _));
        Assert.False(RepositoryName.TryParse(text.AsSpan(), out _));
        Assert.Throws<FormatException>(() => RepositoryName.Parse(text!));
    }

    [Fact]
    public void A_name_has_at_most_255_characters()
    {
        Assert.True(RepositoryName.TryParse(new string('a', 255), out _));
        Assert.False(RepositoryName.TryParse(new string('a', 256), out _));
    }

    [Fact]
    public void Names_are_exactly_those_of_the_specification_s_expression()
    {
        var random = new Random(2);
        var grammar = new Regex(Grammar, RegexOptions.CultureInvariant);
        var valid = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var text = new string(random.GetItems<char>("aab0._-/A", random.Next(1, 9)));
            var expected = grammar.IsMatch(text);
            Assert.True(expected == RepositoryName.TryParse(text, out _), text);
            valid += expected ? 1 : 0;
        }

        Assert.InRange(valid, 1_000, 49_000);
    }

    [Theory]
    [InlineData("latest")]
    [InlineData("1.27-alpine")]
    [InlineData("_")]
    [InlineData("V1_2.3-RC")]
    [InlineData("0")]
    [InlineData("sha256-2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")]
    [InlineData("uploads")]
    public void Tags_of_the_grammar_are_read(string text)
    {
        Assert.True(Tag.TryParse(text, out var tag));
        Assert.Same(text, tag.ToString());
        Assert.Equal(tag, Tag.Parse(text));
        Assert.True(Reference.TryParse(text, out var reference));
        Assert.Equal(text, reference.Tag);
        Assert.Null(reference.Digest);
        Assert.False(reference.IsDigest);
        Assert.Equal(text, reference.ToString());
        Assert.Equal(Reference.To(tag), reference);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".a")]
    [InlineData("-a")]
    [InlineData("a/b")]
    [InlineData("a:b")]
    [InlineData("a b")]
    [InlineData("a%20")]
    [InlineData("a+b")]
    [InlineData("ä")]
    [InlineData("a\r\n")]
    [InlineData("sha256:abc")]
    public void Other_tags_are_refused(string? text)
    {
        Assert.False(Tag.TryParse(text, out _));
        Assert.False(Tag.TryParse(text.AsSpan(), out _));
        Assert.False(Reference.TryParse(text, out _));
        Assert.False(Reference.TryParse(text.AsSpan(), out _));
        Assert.Throws<FormatException>(() => Tag.Parse(text!));
        Assert.Throws<FormatException>(() => Reference.Parse(text!));
    }

    [Fact]
    public void A_tag_has_at_most_128_characters()
    {
        Assert.True(Tag.TryParse(new string('a', 128), out _));
        Assert.False(Tag.TryParse(new string('a', 129), out _));
    }

    [Fact]
    public void A_reference_to_a_digest_is_no_tag()
    {
        var digest = Digest.Sha256Of("x"u8);
        Assert.True(Reference.TryParse(digest.ToString(), out var reference));
        Assert.True(reference.IsDigest);
        Assert.Equal(digest, reference.Digest);
        Assert.Null(reference.Tag);
        Assert.Equal(digest.ToString(), reference.ToString());
        Assert.Equal(Reference.To(digest), reference);
        Assert.True(Reference.TryParse(digest.ToString().AsSpan(), out var fromSpan));
        Assert.Equal(reference, fromSpan);
    }

    [Fact]
    public void Default_values_have_no_text()
    {
        Assert.Throws<InvalidOperationException>(() => default(RepositoryName).ToString());
        Assert.Throws<InvalidOperationException>(() => default(Tag).ToString());
        Assert.Throws<InvalidOperationException>(() => default(Reference).ToString());
        Assert.Null(default(Reference).Digest);
        Assert.Null(default(Reference).Tag);
    }
}
