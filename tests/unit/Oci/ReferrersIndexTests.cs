using System.Text;
using System.Text.Json;
using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class ReferrersIndexTests
{
    [Fact]
    public void Descriptors_stay_as_they_were_written()
    {
        const string one = """{ "digest" : "sha256:x", "artifactType":"a/b", "size":1e2, "unknown":[1, "\u00e9"], "annotations":{"k":"v"} }""";
        const string other = """{"digest":"blake3:y"}""";
        Assert.True(ReferrersIndex.TryRead(Encoding.UTF8.GetBytes($$"""{"manifests":[{{one}}, {{other}}]}"""), out var read));
        Assert.Equal([("sha256:x", "a/b"), ("blake3:y", null)], read.Select(r => (r.Digest, r.ArtifactType)));

        var written = Encoding.UTF8.GetString(ReferrersIndex.Write(read));
        Assert.Equal($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[{{one}},{{other}}]}""", written);
    }

    [Theory]
    [InlineData("""{"manifests":[]}""")]
    [InlineData("""{"manifests":null}""")]
    [InlineData("""{"manifests":[{}, 1, {"digest":""}, {"digest":7}]}""")]
    public void An_index_without_digests_is_empty(string index)
    {
        Assert.True(ReferrersIndex.TryRead(Encoding.UTF8.GetBytes(index), out var read));
        Assert.Empty(read);
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"manifests":{}}""")]
    [InlineData("""{"manifests":[]} more""")]
    [InlineData("""{"manifests":[{"digest":"\ud800"}]}""")]
    public void Something_else_is_no_index(string body) => Assert.False(ReferrersIndex.TryRead(Encoding.UTF8.GetBytes(body), out _));

    [Fact]
    public void A_manifest_becomes_a_descriptor_with_its_type_and_annotations()
    {
        var full = Referrer.Of("sha256:x", MediaTypes.OciManifest, 7, "a/b", new Dictionary<string, string> { ["k"] = "v\"é" });
        using var read = JsonDocument.Parse(full.Json);
        Assert.Equal(["mediaType", "digest", "size", "artifactType", "annotations"], read.RootElement.EnumerateObject().Select(p => p.Name));
        Assert.Equal((MediaTypes.OciManifest, "sha256:x", 7, "a/b", "v\"é"), (
            read.RootElement.GetProperty("mediaType").GetString(), read.RootElement.GetProperty("digest").GetString(), read.RootElement.GetProperty("size").GetInt32(),
            read.RootElement.GetProperty("artifactType").GetString(), read.RootElement.GetProperty("annotations").GetProperty("k").GetString()));

        var bare = Referrer.Of("sha256:x", MediaTypes.OciIndex, 7, artifactType: null, annotations: null);
        Assert.Equal($$"""{"mediaType":"{{MediaTypes.OciIndex}}","digest":"sha256:x","size":7}""", Encoding.UTF8.GetString(bare.Json.Span));
    }

    [Fact]
    public void The_fallback_tag_is_cut_to_64_digits()
    {
        Assert.Equal("sha256-" + new string('a', 64), ReferrersTag.Of(Digest.Parse("sha256:" + new string('a', 64))));
        Assert.Equal("sha512-" + new string('a', 64), ReferrersTag.Of(Digest.Parse("sha512:" + new string('a', 64) + new string('b', 64))));
    }
}
