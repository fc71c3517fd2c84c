using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Entrepot.Oci;
using Entrepot.TestSupport.Images;
using Xunit;
using MediaTypes = Entrepot.Oci.MediaTypes;

namespace Entrepot.UnitTests.Oci;

public sealed class SignedManifestTests
{
    private static readonly SignedSchema1 Signed = SignedSchema1.Of(["sha256:" + new string('a', 64)]);

    private static byte[] Body => Signed.Body;

    [Theory]
    [InlineData(MediaTypes.DockerSchema1Signed)]
    [InlineData("Application/vnd.docker.distribution.manifest.v1+PrettyJWS")]
    [InlineData(MediaTypes.DockerSchema1)]
    [InlineData("application/json")]
    [InlineData(null)]
    public void The_payload_is_what_was_signed(string? mediaType)
    {
        Assert.Equal(Signed.Payload, SignedManifest.PayloadOrNull(Body, mediaType));
        Assert.DoesNotContain("signatures", Encoding.UTF8.GetString(Signed.Payload), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_signatures_over_the_same_are_one_payload() =>
        Assert.Equal(Signed.Payload, SignedManifest.PayloadOrNull(SignedSchema1.Of(["sha256:" + new string('a', 64)], signatures: 2).Body, MediaTypes.DockerSchema1Signed));

    [Theory]
    [InlineData(MediaTypes.DockerSchema1)]
    [InlineData("application/json")]
    [InlineData(null)]
    public void An_unsigned_manifest_has_no_payload_beside_itself(string? mediaType) => Assert.Null(SignedManifest.PayloadOrNull(Signed.Payload, mediaType));

    [Theory]
    [InlineData(MediaTypes.OciManifest)]
    [InlineData(MediaTypes.DockerManifest)]
    [InlineData(MediaTypes.OciIndex)]
    public void Another_kind_of_manifest_is_named_by_its_bytes_whatever_fields_it_has(string mediaType) => Assert.Null(SignedManifest.PayloadOrNull(Body, mediaType));

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("[1]")]
    [InlineData("{\"schemaVersion\":2,\"fsLayers\":[],\"signatures\":[]}")]
    public void What_only_could_have_been_one_is_left_to_others(string body) => Assert.Null(SignedManifest.PayloadOrNull(Encoding.UTF8.GetBytes(body), "text/plain"));

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("not json", "not JSON")]
    [InlineData("[]", "has no signatures")]
    [InlineData("{}", "has no signatures")]
    [InlineData("{\"signatures\":[]}", "has no signatures")]
    [InlineData("{\"signatures\":{}}", "has no signatures")]
    [InlineData("{\"signatures\":[1]}", "no protected header")]
    [InlineData("{\"signatures\":[{\"protected\":\"\"}]}", "no protected header")]
    [InlineData("{\"signatures\":[{\"protected\":\"!\"}]}", "not JSON")]
    [InlineData("{\"signatures\":[{\"protected\":\"e30\"}]}", "does not say what it is over")]
    public void Bytes_that_are_said_to_be_signed_and_are_not_are_refused(string body, string problem) => AssertRefused(Encoding.UTF8.GetBytes(body), problem);

    [Theory]
    [InlineData("formatLength", "0", "over 0 of its")]
    [InlineData("formatLength", "-1", "over -1 of its")]
    [InlineData("formatLength", "100000", "over 100000 of its")]
    [InlineData("formatLength", "1", "is not what was signed")]
    [InlineData("formatLength", "6", "not JSON")]
    [InlineData("formatLength", "1.5", "does not say what it is over")]
    [InlineData("formatLength", "\"9\"", "does not say what it is over")]
    [InlineData("formatLength", null, "does not say what it is over")]
    [InlineData("formatTail", "\"\"", "does not say what it is over")]
    [InlineData("formatTail", "\"!\"", "not JSON")]
    [InlineData("formatTail", "\"Cg\"", "not JSON")]
    [InlineData("formatTail", null, "does not say what it is over")]
    public void A_header_that_does_not_say_what_was_signed_is_refused(string field, string? value, string problem)
    {
        var header = new Dictionary<string, string> { ["formatLength"] = $"{Signed.FormatLength}", ["formatTail"] = $"\"{Base64Url.EncodeToString(Signed.FormatTail)}\"" };
        if (value is null) header.Remove(field);
        else header[field] = value;
        var json = "{" + string.Join(',', header.Select(pair => $"\"{pair.Key}\":{pair.Value}")) + "}";
        AssertRefused(WithHeaders(json), problem);
    }

    [Fact]
    public void Signatures_that_disagree_are_refused()
    {
        var good = Header(Signed.FormatLength, Signed.FormatTail);
        Assert.Equal(Signed.Payload, SignedManifest.PayloadOrNull(WithHeaders(good, good), MediaTypes.DockerSchema1Signed));
        AssertRefused(WithHeaders(good, Header(Signed.FormatLength - 1, Signed.FormatTail)), "disagree");
        AssertRefused(WithHeaders(good, Header(Signed.FormatLength, " }"u8.ToArray())), "disagree");
    }

    [Fact]
    public void A_payload_that_is_no_object_is_refused()
    {
        var body = Encoding.UTF8.GetBytes($$"""{"signatures":[{"protected":"{{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(Header(2, " "u8.ToArray())))}}"}]}""");
        AssertRefused([(byte)' ', .. body], "not JSON");
        var array = WithHeaders(Header(1, Encoding.UTF8.GetBytes("[]")));
        AssertRefused([(byte)' ', .. array], "is Array");
    }

    [Theory]
    [InlineData("\"signatures\":", "\"config\":{\"x\":1},\"signatures\":", "'config'")]
    [InlineData("\"signatures\":", "\"fsLayers\":[],\"signatures\":", "'fsLayers'")]
    [InlineData("\"signatures\":", "\"signatures\":[],\"signatures\":", "'signatures'")]
    public void A_field_beside_the_payload_is_refused(string from, string to, string problem) =>
        AssertRefused(Encoding.UTF8.GetBytes(Text.Replace(from, to, StringComparison.Ordinal)), problem);

    [Fact]
    public void A_field_behind_the_signatures_is_refused()
    {
        var end = Text.LastIndexOf('}');
        AssertRefused(Encoding.UTF8.GetBytes(Text[..end] + ",\"layers\":[]}"), "'layers'");
    }

    [Fact]
    public void A_signed_field_that_the_body_lacks_is_refused() =>
        AssertRefused(WithHeaders(Header(Signed.FormatLength, Encoding.UTF8.GetBytes(",\"more\":1}"))), "lacks the field 'more'");

    [Fact]
    public void A_field_that_the_tail_says_otherwise_is_refused() =>
        // The body has no "x" of its own: what is signed would say more than what is served.
        AssertRefused(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(WithHeaders(Header(Signed.FormatLength, Encoding.UTF8.GetBytes(",\"x\":1}")))).Replace("\"signatures\":", "\"x\":2,\"signatures\":", StringComparison.Ordinal)), "'x'");

    [Fact]
    public void Anything_behind_the_document_is_refused() => AssertRefused([.. Body, (byte)'{', (byte)'}'], "not JSON");

    private static string Text => Encoding.UTF8.GetString(Body);

    private static string Header(int formatLength, byte[] formatTail) =>
        JsonSerializer.Serialize(new { formatLength, formatTail = Base64Url.EncodeToString(formatTail), time = "2016-01-01T00:00:00Z" });

    /// <summary>The signed body with signatures of these protected headers in place of its own.</summary>
    private static byte[] WithHeaders(params string[] headers)
    {
        var signatures = string.Join(',', headers.Select(header => $$"""{"protected":"{{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}}"}"""));
        return [.. Body[..Signed.FormatLength], .. Encoding.UTF8.GetBytes($",\"signatures\":[{signatures}]}}")];
    }

    private static void AssertRefused(byte[] body, string problem) =>
        Assert.Contains(problem, Assert.Throws<InvalidManifestException>(() => SignedManifest.PayloadOrNull(body, MediaTypes.DockerSchema1Signed)).Message, StringComparison.Ordinal);
}
