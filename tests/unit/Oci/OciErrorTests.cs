using System.Text;
using System.Text.Json;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class OciErrorTests
{
    [Theory]
    [InlineData(OciErrorCode.BlobUnknown, "BLOB_UNKNOWN", 404)]
    [InlineData(OciErrorCode.ManifestUnknown, "MANIFEST_UNKNOWN", 404)]
    [InlineData(OciErrorCode.NameUnknown, "NAME_UNKNOWN", 404)]
    [InlineData(OciErrorCode.NameInvalid, "NAME_INVALID", 400)]
    [InlineData(OciErrorCode.DigestInvalid, "DIGEST_INVALID", 400)]
    [InlineData(OciErrorCode.TagInvalid, "TAG_INVALID", 400)]
    [InlineData(OciErrorCode.ManifestInvalid, "MANIFEST_INVALID", 400)]
    [InlineData(OciErrorCode.SizeInvalid, "SIZE_INVALID", 400)]
    [InlineData(OciErrorCode.PaginationNumberInvalid, "PAGINATION_NUMBER_INVALID", 400)]
    [InlineData(OciErrorCode.Unauthorized, "UNAUTHORIZED", 401)]
    [InlineData(OciErrorCode.Denied, "DENIED", 403)]
    [InlineData(OciErrorCode.Unsupported, "UNSUPPORTED", 405)]
    [InlineData(OciErrorCode.TooManyRequests, "TOOMANYREQUESTS", 429)]
    [InlineData(OciErrorCode.Unavailable, "UNAVAILABLE", 503)]
    [InlineData(OciErrorCode.Unknown, "UNKNOWN", 500)]
    public void Codes_have_their_text_and_status(OciErrorCode code, string text, int status)
    {
        Assert.Equal(text, code.WireText());
        Assert.Equal(status, code.StatusCode());
    }

    [Fact]
    public void Every_code_has_a_text_of_its_own()
    {
        var codes = Enum.GetValues<OciErrorCode>();
        Assert.Equal(15, codes.Length);
        Assert.Equal(codes.Length, codes.Select(c => c.WireText()).Distinct().Count());
    }

    [Fact]
    public void An_error_is_written_as_the_specification_says()
    {
        Assert.Equal(
            """{"errors":[{"code":"NAME_INVALID","message":"name 'A' is invalid","detail":"more"}]}""",
            Encoding.UTF8.GetString(new OciError(OciErrorCode.NameInvalid, "name 'A' is invalid", "more").ToUtf8Json()));
        Assert.Equal(
            """{"errors":[{"code":"UNKNOWN","message":""}]}""",
            Encoding.UTF8.GetString(new OciError(OciErrorCode.Unknown, "").ToUtf8Json()));
    }

    [Theory]
    [InlineData("quote \" backslash \\ newline \n tab \t bell \a nul \0")]
    [InlineData("ünïcödé 你好 🐳 <script>")]
    [InlineData("\u2028\u2029\u007f")]
    public void Any_text_survives_the_wire(string text)
    {
        using var document = JsonDocument.Parse(new OciError(OciErrorCode.Denied, text, text).ToUtf8Json());
        var error = document.RootElement.GetProperty("errors")[0];
        Assert.Equal(text, error.GetProperty("message").GetString());
        Assert.Equal(text, error.GetProperty("detail").GetString());
    }

    [Fact]
    public void Half_a_surrogate_pair_does_not_break_the_answer()
    {
        using var document = JsonDocument.Parse(new OciError(OciErrorCode.Denied, "x\ud800y").ToUtf8Json());
        Assert.Equal("x\ufffdy", document.RootElement.GetProperty("errors")[0].GetProperty("message").GetString());
    }
}
