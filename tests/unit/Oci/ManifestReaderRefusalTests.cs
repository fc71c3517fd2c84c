using System.Text;
using Entrepot.Oci;
using Xunit;
using static Entrepot.UnitTests.Oci.SampleManifests;

namespace Entrepot.UnitTests.Oci;

public sealed class ManifestReaderRefusalTests
{
    [Theory]
    [InlineData("", null, "0 bytes is not JSON")]
    [InlineData("<!DOCTYPE html>", "application/json", "starts with '<!DOCTYPE html>'")]
    [InlineData("<html>", "text/html", "web page")]
    [InlineData(OciImage, "text/html; charset=utf-8", "web page")]
    [InlineData(OciImage, "TEXT/HTML", "web page")]
    [InlineData("not found", "text/plain", "not JSON")]
    [InlineData("{", null, "not JSON")]
    [InlineData("{} {}", null, "not JSON")]
    [InlineData("null", null, "not a JSON object")]
    [InlineData("[]", null, "not a JSON object")]
    [InlineData("\"x\"", null, "not a JSON object")]
    [InlineData("{}", null, "not a manifest")]
    [InlineData("{\"errors\":[{\"code\":\"DENIED\"}]}", "application/json", "not a manifest")]
    [InlineData("{\"errors\":[]}", MediaTypes.OciManifest, "none of the fields")]
    [InlineData("{}", MediaTypes.OciIndex, "none of the fields")]
    [InlineData("{}", "application/vnd.acme+json", "not a manifest")]
    [InlineData(OciIndex, MediaTypes.OciManifest, "but its mediaType is")]
    [InlineData(OciImage, MediaTypes.OciIndex, "but its mediaType is")]
    [InlineData(OciImage, MediaTypes.DockerSchema1Signed, "but its mediaType is")]
    [InlineData(Schema1, MediaTypes.DockerManifest, "those of another kind")]
    [InlineData($$$"""{"manifests":[{"digest":"{{{A}}}","size":1}]}""", MediaTypes.OciManifest, "those of another kind")]
    [InlineData($$$"""{"mediaType":"{{{MediaTypes.OciIndex}}}","layers":[{"digest":"{{{A}}}","size":1}]}""", null, "those of another kind")]
    [InlineData($$$"""{"manifests":[{"digest":"{{{A}}}","size":1}],"layers":[{"digest":"{{{A}}}","size":1}]}""", MediaTypes.OciIndex, "more than one kind")]
    [InlineData($$$"""{"manifests":[{"digest":"{{{A}}}","size":1}],"config":{}}""", null, "more than one kind")]
    [InlineData($$$"""{"fsLayers":[{"blobSum":"{{{A}}}"}],"layers":[{"digest":"{{{A}}}","size":1}]}""", null, "more than one kind")]
    [InlineData("""{"layers":{}}""", null, "layers is Object, not a list")]
    [InlineData("""{"manifests":"x"}""", null, "manifests is String, not a list")]
    [InlineData("""{"layers":[1]}""", null, "layers[0] is Number")]
    [InlineData("""{"layers":[null]}""", null, "layers[0] is Null")]
    [InlineData("""{"layers":[{}]}""", null, "layers[0] has no digest")]
    [InlineData($$$"""{"layers":[{"digest":"{{{A}}}"},{"digest":7}]}""", null, "layers[1] has no digest")]
    [InlineData("""{"layers":[{"digest":"sha256:zz"}]}""", null, "layers[0].digest 'sha256:zz' is not")]
    [InlineData($$$"""{"layers":[{"digest":"{{{A}}}","size":-1}]}""", null, "layers[0].size '-1'")]
    [InlineData($$$"""{"layers":[{"digest":"{{{A}}}","size":"12"}]}""", null, "layers[0].size")]
    [InlineData($$$"""{"layers":[{"digest":"{{{A}}}","size":1.5}]}""", null, "layers[0].size '1.5'")]
    [InlineData($$$"""{"layers":[{"digest":"{{{A}}}","size":9223372036854775808}]}""", null, "layers[0].size")]
    [InlineData("""{"config":[],"layers":[]}""", null, "config is Array")]
    [InlineData("""{"config":"x"}""", null, "config is String")]
    [InlineData("""{"layers":[],"subject":{}}""", null, "subject has no digest")]
    [InlineData("""{"layers":[],"subject":[]}""", null, "subject is Array")]
    [InlineData("""{"fsLayers":[{}]}""", null, "fsLayers[0] has no blobSum")]
    [InlineData("""{"fsLayers":[1]}""", null, "fsLayers[0] is Number")]
    [InlineData("""{"fsLayers":[{"blobSum":"x"}]}""", null, "fsLayers[0].blobSum 'x'")]
    [InlineData("""{"layers":[],"annotations":{"a":"\ud800"}}""", null, "not valid UTF-8")]
    public void What_is_no_manifest_is_refused_by_name(string body, string? contentType, string message)
    {
        var error = Assert.Throws<InvalidManifestException>(() => Read(body, contentType));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_refused_not_followed() =>
        Assert.Throws<InvalidManifestException>(() => Read(new string('[', 100_000), null));

    [Fact]
    public void Random_damage_throws_nothing_but_what_is_documented()
    {
        byte[][] bodies = [.. new[] { OciImage, DockerImage, OciIndex, DockerList, Schema1, Artifact }.Select(Encoding.UTF8.GetBytes)];
        string?[] types = [null, "application/json", MediaTypes.OciManifest, MediaTypes.OciIndex, MediaTypes.DockerSchema1, "application/vnd.x"];
        var random = new Random(7);
        var (read, refused) = (0, 0);
        for (var i = 0; i < 30_000; i++)
        {
            var body = bodies[random.Next(bodies.Length)].ToArray();
            for (var edits = random.Next(4); edits > 0; edits--)
                body[random.Next(body.Length)] = random.Next(3) > 0 ? (byte)"\"{}[],:0\\u"[random.Next(10)] : (byte)random.Next(256);
            try
            {
                var manifest = ManifestReader.Read(body.AsMemory(0, random.Next(8) > 0 ? body.Length : random.Next(body.Length)), types[random.Next(types.Length)]);
                Assert.All(manifest.Children, c => Assert.NotEmpty(c.Descriptor.Digest.ToString()));
                read++;
            }
            catch (InvalidManifestException e)
            {
                Assert.DoesNotContain('\n', e.Message);
                refused++;
            }
        }

        Assert.True(read > 1_000 && refused > 1_000, $"{read} read, {refused} refused");
    }

    private static ParsedManifest Read(string body, string? contentType) => ManifestReader.Read(Encoding.UTF8.GetBytes(body), contentType);
}
