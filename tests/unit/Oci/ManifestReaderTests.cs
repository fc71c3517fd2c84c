using System.Text;
using Entrepot.Oci;
using Xunit;
using static Entrepot.UnitTests.Oci.SampleManifests;

namespace Entrepot.UnitTests.Oci;

public sealed class ManifestReaderTests
{
    [Fact]
    public void An_OCI_image_is_read()
    {
        var read = Read(OciImage, MediaTypes.OciManifest);
        Assert.Equal(MediaTypes.OciManifest, read.MediaType);
        Assert.False(read.IsIndex);
        Assert.Equal(
            [(ReferenceRole.Config, A, 7), (ReferenceRole.Layer, B, 32654), (ReferenceRole.Layer, C, long.MaxValue)],
            read.Children.Select(c => (c.Role, c.Descriptor.Digest.ToString(), c.Descriptor.Size)));
        Assert.Equal("application/vnd.oci.image.layer.v1.tar+gzip", read.Children[1].Descriptor.MediaType);
        Assert.Equal("v", read.Children[2].Descriptor.Annotations!["k"]);
        Assert.Null(read.Children[1].Descriptor.Annotations);
        Assert.Null(read.Subject);
        Assert.Equal(MediaTypes.OciConfig, read.ArtifactType);
        Assert.Equal("é", read.Annotations!["org.opencontainers.image.title"]);
    }

    [Fact]
    public void A_Docker_image_is_read()
    {
        var read = Read(DockerImage, MediaTypes.DockerManifest);
        Assert.Equal(MediaTypes.DockerManifest, read.MediaType);
        Assert.False(read.IsIndex);
        Assert.Equal([ReferenceRole.Config, ReferenceRole.Layer], read.Children.Select(c => c.Role));
        Assert.Equal(MediaTypes.DockerConfig, read.ArtifactType);
        Assert.Null(read.Annotations);
    }

    [Fact]
    public void An_OCI_index_is_read_with_its_platforms()
    {
        var read = Read(OciIndex, MediaTypes.OciIndex);
        Assert.True(read.IsIndex);
        Assert.All(read.Children, c => Assert.Equal(ReferenceRole.Manifest, c.Role));
        Assert.Equal(["linux/amd64", "linux/arm64/v8", "unknown/unknown"], read.Children.Select(c => c.Descriptor.Platform));
        Assert.Equal("application/vnd.x", read.Children[2].Descriptor.ArtifactType);
        Assert.Null(read.ArtifactType);
    }

    [Fact]
    public void A_Docker_list_is_read()
    {
        var read = Read(DockerList, MediaTypes.DockerManifestList);
        Assert.True(read.IsIndex);
        Assert.Equal(MediaTypes.DockerManifestList, read.MediaType);
        Assert.Equal("windows/amd64", Assert.Single(read.Children).Descriptor.Platform);
    }

    [Theory]
    [InlineData(MediaTypes.DockerSchema1Signed, MediaTypes.DockerSchema1Signed)]
    [InlineData(MediaTypes.DockerSchema1, MediaTypes.DockerSchema1)]
    [InlineData("application/json", MediaTypes.DockerSchema1Signed)]
    public void Docker_schema_1_is_read_without_sizes(string contentType, string expected)
    {
        var read = Read(Schema1, contentType);
        Assert.Equal(expected, read.MediaType);
        Assert.False(read.IsIndex);
        Assert.Equal([A, B, A], read.Children.Select(c => c.Descriptor.Digest.ToString()));
        Assert.All(read.Children, c => Assert.Equal((ReferenceRole.Layer, Descriptor.UnknownSize), (c.Role, c.Descriptor.Size)));
        Assert.Null(read.ArtifactType);
    }

    [Fact]
    public void An_unsigned_schema_1_of_no_type_is_seen()
    {
        Assert.Equal(MediaTypes.DockerSchema1, Read($$$"""{"schemaVersion":1,"fsLayers":[{"blobSum":"{{{A}}}"}]}""", null).MediaType);
    }

    [Theory]
    [InlineData(MediaTypes.OciArtifactManifest)]
    [InlineData("application/json")]
    public void An_artifact_manifest_is_read(string contentType)
    {
        var read = Read(Artifact, contentType);
        Assert.Equal(MediaTypes.OciArtifactManifest, read.MediaType);
        Assert.Equal((ReferenceRole.Layer, "text/spdx"), (read.Children[0].Role, read.Children[0].Descriptor.MediaType));
        Assert.Equal(B, read.Subject!.Digest.ToString());
        Assert.Equal("application/vnd.example.sbom", read.ArtifactType);
    }

    [Fact]
    public void An_artifact_manifest_may_be_nothing_but_a_subject()
    {
        var body = $$$"""{"mediaType":"{{{MediaTypes.OciArtifactManifest}}}","subject":{"digest":"{{{A}}}","size":1,"mediaType":"x/y"}}""";
        Assert.Empty(Read(body, MediaTypes.OciArtifactManifest).Children);
        Assert.Empty(Read(body, null).Children);
    }

    [Fact]
    public void A_signature_names_its_subject_and_its_own_type_first()
    {
        var body = $$$"""
            {"schemaVersion":2,"artifactType":"application/vnd.dev.sigstore.bundle.v0.3+json",
             "config":{"mediaType":"{{{MediaTypes.OciEmpty}}}","digest":"{{{A}}}","size":2,"data":"e30="},"layers":[],
             "subject":{"mediaType":"{{{MediaTypes.OciIndex}}}","digest":"{{{B}}}","size":5}}
            """;
        var read = Read(body, MediaTypes.OciManifest);
        Assert.Equal("application/vnd.dev.sigstore.bundle.v0.3+json", read.ArtifactType);
        Assert.Equal((B, 5L, MediaTypes.OciIndex), (read.Subject!.Digest.ToString(), read.Subject.Size, read.Subject.MediaType));
        Assert.Equal(ReferenceRole.Config, Assert.Single(read.Children).Role);
    }

    [Fact]
    public void An_index_may_have_a_subject_and_a_type()
    {
        var read = Read($$$"""{"manifests":[],"artifactType":"a/b","subject":{"mediaType":"x/y","digest":"{{{A}}}","size":0}}""", MediaTypes.OciIndex);
        Assert.Equal(("a/b", A), (read.ArtifactType, read.Subject!.Digest.ToString()));
    }

    [Theory]
    [InlineData(OciImage, MediaTypes.OciManifest + "; charset=utf-8", MediaTypes.OciManifest)]
    [InlineData(OciImage, " " + MediaTypes.OciManifest + " ;x=y;z", MediaTypes.OciManifest)]
    [InlineData(OciImage, "Application/Vnd.OCI.image.manifest.v1+JSON", "Application/Vnd.OCI.image.manifest.v1+JSON")]
    [InlineData(OciImage, "application/vnd.acme.manifest.v3+json", "application/vnd.acme.manifest.v3+json")]
    [InlineData(OciImage, MediaTypes.DockerManifest, MediaTypes.DockerManifest)]
    [InlineData(OciImage, null, MediaTypes.OciManifest)]
    [InlineData(OciImage, "", MediaTypes.OciManifest)]
    [InlineData(OciImage, ";", MediaTypes.OciManifest)]
    [InlineData(OciImage, "application/json", MediaTypes.OciManifest)]
    [InlineData(OciImage, "application/json; charset=utf-8", MediaTypes.OciManifest)]
    [InlineData(OciImage, "application/octet-stream", MediaTypes.OciManifest)]
    [InlineData(OciImage, "binary/octet-stream", MediaTypes.OciManifest)]
    [InlineData(OciImage, "text/plain", MediaTypes.OciManifest)]
    [InlineData(OciImage, "application/vnd.a b/c", MediaTypes.OciManifest)]
    [InlineData(OciImage, "application/vnd.a\r\nX: y", MediaTypes.OciManifest)]
    [InlineData(DockerImage, "application/json", MediaTypes.DockerManifest)]
    [InlineData(OciIndex, "text/plain; charset=utf-8", MediaTypes.OciIndex)]
    [InlineData(DockerList, "application/octet-stream", MediaTypes.DockerManifestList)]
    public void The_type_is_verbatim_when_it_says_something_and_the_body_s_when_not(string body, string? contentType, string expected) =>
        Assert.Equal(expected, Read(body, contentType).MediaType);

    [Theory]
    [InlineData($$$"""{"config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"{{{A}}}","size":1},"layers":[]}""", MediaTypes.OciManifest)]
    [InlineData($$$"""{"config":{"mediaType":"{{{MediaTypes.DockerConfig}}}","digest":"{{{A}}}","size":1},"layers":[]}""", MediaTypes.DockerManifest)]
    [InlineData($$$"""{"manifests":[{"mediaType":"{{{MediaTypes.DockerManifest}}}","digest":"{{{A}}}","size":1}]}""", MediaTypes.DockerManifestList)]
    [InlineData($$$"""{"manifests":[{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{A}}}","size":1}]}""", MediaTypes.OciIndex)]
    [InlineData("""{"manifests":[]}""", MediaTypes.OciIndex)]
    [InlineData("""{"manifests":null}""", MediaTypes.OciIndex)]
    [InlineData("""{"layers":[]}""", MediaTypes.OciManifest)]
    [InlineData("""{"mediaType":"","layers":null}""", MediaTypes.OciManifest)]
    [InlineData("""{"mediaType":"application/vnd.acme+json","layers":null}""", "application/vnd.acme+json")]
    [InlineData("""{"mediaType":"text/html","layers":null}""", MediaTypes.OciManifest)]
    [InlineData("""{"mediaType":5,"layers":null}""", MediaTypes.OciManifest)]
    public void Without_any_type_the_fields_decide(string body, string expected) => Assert.Equal(expected, Read(body, null).MediaType);

    [Theory]
    [InlineData("""{"manifests":null,"layers":[]}""", MediaTypes.OciIndex, true)]
    [InlineData("""{"manifests":[],"layers":null,"config":null}""", MediaTypes.OciManifest, false)]
    [InlineData($$$"""{"manifests":[],"layers":[{"digest":"{{{A}}}","size":1}]}""", MediaTypes.OciManifest, false)]
    public void Empty_lists_of_the_other_kind_do_not_disturb(string body, string contentType, bool isIndex) =>
        Assert.Equal(isIndex, Read(body, contentType).IsIndex);

    [Fact]
    public void Foreign_and_repeated_layers_are_kept_as_they_are()
    {
        var body = $$$"""
            {"config":{"mediaType":"{{{MediaTypes.DockerConfig}}}","digest":"{{{A}}}","size":1},"layers":[
             {"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","digest":"{{{B}}}","size":1,"urls":["https://x.test/y"]},
             {"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip","digest":"{{{B}}}","size":1},
             {"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{{B}}}","size":1}]}
            """;
        Assert.Equal([A, B, B, B], Read(body, MediaTypes.DockerManifest).Children.Select(c => c.Descriptor.Digest.ToString()));
    }

    [Fact]
    public void What_a_descriptor_leaves_out_has_its_default()
    {
        var descriptor = Read($$$"""{"layers":[{"digest":"{{{A}}}","annotations":{"n":1,"s":"t","z":null},"platform":{}}]}""", null).Children[0].Descriptor;
        Assert.Equal((MediaTypes.OctetStream, Descriptor.UnknownSize), (descriptor.MediaType, descriptor.Size));
        Assert.Null(descriptor.Platform);
        Assert.Null(descriptor.ArtifactType);
        Assert.Equal(["s"], descriptor.Annotations!.Keys);
    }

    [Fact]
    public void Sha512_children_are_read()
    {
        var digest = "sha512:" + new string('d', 128);
        Assert.Equal(digest, Read($$$"""{"layers":[{"digest":"{{{digest}}}","size":1}]}""", null).Children[0].Descriptor.Digest.ToString());
    }

    [Fact]
    public void Four_mebibytes_of_layers_are_read()
    {
        var layers = string.Join(',', Enumerable.Repeat($$$"""{"digest":"{{{A}}}","size":1}""", 40_000));
        Assert.Equal(40_000, Read($$$"""{"layers":[{{{layers}}}]}""", null).Children.Count);
    }

    private static ParsedManifest Read(string body, string? contentType) => ManifestReader.Read(Encoding.UTF8.GetBytes(body), contentType);
}
