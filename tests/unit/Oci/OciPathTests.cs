using System.Text;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class OciPathTests
{
    private const string D = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    private const string EscapedD = "sha256%3A2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

    [Theory]
    [InlineData("/v2", OciRoute.Base)]
    [InlineData("/v2/", OciRoute.Base)]
    [InlineData("/v2/_catalog", OciRoute.Catalog)]
    public void Paths_without_a_name_are_read(string path, OciRoute route)
    {
        Assert.True(OciPath.TryParse(path, out var read, out var error));
        Assert.Null(error);
        Assert.Equal(route, read.Route);
        Assert.Equal(default, read.Name);
        Assert.Null(read.Digest);
        Assert.Null(read.Tag);
        Assert.Equal(path == "/v2" ? "/v2/" : path, read.ToString());
    }

    [Theory]
    [InlineData("/v2/nginx/manifests/latest", OciRoute.Manifest, "nginx", "latest")]
    [InlineData("/v2/library/nginx/manifests/1.27-alpine", OciRoute.Manifest, "library/nginx", "1.27-alpine")]
    [InlineData("/v2/docker.io/library/nginx/manifests/latest", OciRoute.Manifest, "docker.io/library/nginx", "latest")]
    [InlineData("/v2/library/nginx/manifests/" + D, OciRoute.Manifest, "library/nginx", D)]
    [InlineData("/v2/library/nginx/manifests/" + EscapedD, OciRoute.Manifest, "library/nginx", D)]
    [InlineData("/v2/library/nginx/blobs/" + D, OciRoute.Blob, "library/nginx", D)]
    [InlineData("/v2/library/nginx/blobs/" + EscapedD, OciRoute.Blob, "library/nginx", D)]
    [InlineData("/v2/a/referrers/" + D, OciRoute.Referrers, "a", D)]
    [InlineData("/v2/a/tags/list", OciRoute.TagList, "a", null)]
    [InlineData("/v2/a/blobs/uploads", OciRoute.Upload, "a", null)]
    [InlineData("/v2/a/blobs/uploads/", OciRoute.Upload, "a", null)]
    [InlineData("/v2/a/b/blobs/uploads/0f6e-77.x_y=", OciRoute.Upload, "a/b", null)]
    [InlineData("/v2/manifests/manifests/manifests", OciRoute.Manifest, "manifests", "manifests")]
    [InlineData("/v2/manifests/latest/manifests/latest", OciRoute.Manifest, "manifests/latest", "latest")]
    [InlineData("/v2/a/manifests/b/manifests/c", OciRoute.Manifest, "a/manifests/b", "c")]
    [InlineData("/v2/a/blobs/manifests/list", OciRoute.Manifest, "a/blobs", "list")]
    [InlineData("/v2/a/manifests/tags/list", OciRoute.TagList, "a/manifests", null)]
    [InlineData("/v2/tags/list/tags/list", OciRoute.TagList, "tags/list", null)]
    [InlineData("/v2/tags/tags/list", OciRoute.TagList, "tags", null)]
    [InlineData("/v2/blobs/blobs/" + D, OciRoute.Blob, "blobs", D)]
    [InlineData("/v2/a/blobs/uploads/manifests/latest", OciRoute.Manifest, "a/blobs/uploads", "latest")]
    [InlineData("/v2/a/blobs/uploads/tags/list", OciRoute.TagList, "a/blobs/uploads", null)]
    [InlineData("/v2/a/blobs/uploads/blobs/" + D, OciRoute.Blob, "a/blobs/uploads", D)]
    [InlineData("/v2/blobs/uploads/blobs/uploads/x", OciRoute.Upload, "blobs/uploads", null)]
    [InlineData("/v2/_catalog/manifests/latest", OciRoute.Manifest, null, null)]
    [InlineData("/v2/v2/manifests/v2", OciRoute.Manifest, "v2", "v2")]
    [InlineData("/v2/a%2Db/manifests/v1%2e0", OciRoute.Manifest, "a-b", "v1.0")]
    [InlineData("/v2/referrers/referrers/" + D, OciRoute.Referrers, "referrers", D)]
    public void Paths_are_read_from_the_right(string path, OciRoute route, string? name, string? reference)
    {
        if (name is null)
        {
            Assert.False(OciPath.TryParse(path, out _, out _));
            return;
        }

        Assert.True(OciPath.TryParse(path, out var read, out var error), error?.Message);
        Assert.Equal(route, read.Route);
        Assert.Equal(name, read.Name.ToString());
        Assert.Equal(reference, reference is null ? null : read.Reference.ToString());
        Assert.Equal(reference?.Contains(':', StringComparison.Ordinal) == true, read.Digest is not null);
        Assert.Equal(reference?.Contains(':', StringComparison.Ordinal) == false, read.Tag is not null);
    }

    [Theory]
    [InlineData("/v2/Nginx/manifests/latest", OciErrorCode.NameInvalid, "Nginx")]
    [InlineData("/v2/a//b/manifests/latest", OciErrorCode.NameInvalid, "a//b")]
    [InlineData("/v2//a/manifests/latest", OciErrorCode.NameInvalid, "/a")]
    [InlineData("/v2/manifests/latest", OciErrorCode.NameInvalid, "''")]
    [InlineData("/v2/blobs/" + D, OciErrorCode.NameInvalid, "''")]
    [InlineData("/v2/tags/list", OciErrorCode.NameInvalid, "''")]
    [InlineData("/v2/../manifests/latest", OciErrorCode.NameInvalid, "..")]
    [InlineData("/v2/a/%2e%2e/manifests/latest", OciErrorCode.NameInvalid, "a/..")]
    [InlineData("/v2/a%2Fb/manifests/latest", OciErrorCode.NameInvalid, "a%2Fb")]
    [InlineData("/v2/a%252Fb/manifests/latest", OciErrorCode.NameInvalid, "a%252Fb")]
    [InlineData("/v2/a%00/manifests/latest", OciErrorCode.NameInvalid, "a%00")]
    [InlineData("/v2/A/tags/list", OciErrorCode.NameInvalid, "A")]
    [InlineData("/v2/A/referrers/" + D, OciErrorCode.NameInvalid, "A")]
    [InlineData("/v2/A/blobs/uploads/", OciErrorCode.NameInvalid, "A")]
    [InlineData("/v2/A/blobs/sha256:bad", OciErrorCode.NameInvalid, "A")]
    [InlineData("/v2/a/manifests/", OciErrorCode.TagInvalid, "''")]
    [InlineData("/v2/a/manifests/.hidden", OciErrorCode.TagInvalid, ".hidden")]
    [InlineData("/v2/a/manifests/x%20y", OciErrorCode.TagInvalid, "x%20y")]
    [InlineData("/v2/a/manifests/x%2", OciErrorCode.TagInvalid, "x%2")]
    [InlineData("/v2/a/manifests/x%", OciErrorCode.TagInvalid, "x%")]
    [InlineData("/v2/a/manifests/x%zz", OciErrorCode.TagInvalid, "x%zz")]
    [InlineData("/v2/a/manifests/sha256:bad", OciErrorCode.DigestInvalid, "sha256:bad")]
    [InlineData("/v2/a/manifests/:", OciErrorCode.DigestInvalid, "':'")]
    [InlineData("/v2/a/blobs/latest", OciErrorCode.DigestInvalid, "latest")]
    [InlineData("/v2/a/blobs/", OciErrorCode.DigestInvalid, "''")]
    [InlineData("/v2/a/blobs/SHA256:ABC", OciErrorCode.DigestInvalid, "SHA256:ABC")]
    [InlineData("/v2/a/referrers/latest", OciErrorCode.DigestInvalid, "latest")]
    [InlineData("/v2/a/blobs/sha384:00", OciErrorCode.DigestInvalid, "sha384:00")]
    public void Bad_parts_are_a_400_that_names_them(string path, OciErrorCode code, string shown)
    {
        Assert.False(OciPath.TryParse(path, out var read, out var error));
        Assert.Equal(default, read);
        Assert.Equal(code, error.Code);
        Assert.Equal(400, error.Code.StatusCode());
        Assert.Contains(shown, error.Message, StringComparison.Ordinal);
        Assert.Contains(" is invalid: ", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/v1/")]
    [InlineData("/v20/a/manifests/latest")]
    [InlineData("v2/a/manifests/latest")]
    [InlineData("/V2/a/manifests/latest")]
    [InlineData("/v2//")]
    [InlineData("/v2/a")]
    [InlineData("/v2/a/")]
    [InlineData("/v2/_catalog/")]
    [InlineData("/v2/a/manifests")]
    [InlineData("/v2/a/manifests/b/c")]
    [InlineData("/v2/a/manifests/latest/")]
    [InlineData("/v2/a/Manifests/latest")]
    [InlineData("/v2/a/tags")]
    [InlineData("/v2/a/tags/list/")]
    [InlineData("/v2/a/tags/latest")]
    [InlineData("/v2/a/uploads/x")]
    [InlineData("/v2/a/blobs/uploads/x/y")]
    [InlineData("/v2/search")]
    public void Other_paths_are_a_404(string path)
    {
        Assert.False(OciPath.TryParse(path, out _, out var error));
        Assert.Equal(OciErrorCode.NameUnknown, error.Code);
        Assert.Equal(404, error.Code.StatusCode());
        Assert.Contains("/v2/<name>/manifests/", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_message_shows_is_cut_and_clean()
    {
        Assert.False(OciPath.TryParse("/v2/" + new string('A', 4000) + "/manifests/latest", out _, out var tooLong));
        Assert.Contains("4000 characters", tooLong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(new string('A', 129), tooLong.Message, StringComparison.Ordinal);
        Assert.False(OciPath.TryParse("/v2/a/manifests/\u001b[2J\u202e\r\nx", out _, out var dirty));
        Assert.Contains("'?[2J???x'", dirty.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Equal_paths_are_equal()
    {
        Assert.True(OciPath.TryParse("/v2/a/blobs/" + D, out var one, out _));
        Assert.True(OciPath.TryParse("/v2/a/blobs/" + EscapedD, out var two, out _));
        Assert.Equal(one, two);
        Assert.Equal("/v2/a/blobs/" + D, two.ToString());
    }

    [Fact]
    public void Random_paths_never_throw_and_what_is_read_reads_the_same_again()
    {
        string[] parts = ["a", "library", "manifests", "blobs", "uploads", "tags", "list", "referrers", "_catalog", D, EscapedD, "latest", "", "..", "%2F", "%", "%3a", "A", "\0", "\ud800"];
        var random = new Random(3);
        var read = 0;
        for (var i = 0; i < 50_000; i++)
        {
            var path = new StringBuilder("/v2");
            for (var n = random.Next(7); n > 0; n--)
                path.Append('/').Append(parts[random.Next(parts.Length)]);
            if (OciPath.TryParse(path.ToString(), out var one, out var error))
            {
                read++;
                Assert.True(OciPath.TryParse(one.ToString(), out var two, out _), one.ToString());
                Assert.Equal(one, two);
            }
            else
            {
                Assert.NotEmpty(error.ToUtf8Json());
            }
        }

        Assert.InRange(read, 500, 49_500);
    }
}
