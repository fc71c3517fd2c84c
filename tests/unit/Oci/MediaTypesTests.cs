using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class MediaTypesTests
{
    [Theory]
    [InlineData(MediaTypes.OciIndex, true, false)]
    [InlineData(MediaTypes.DockerManifestList, true, false)]
    [InlineData("APPLICATION/vnd.oci.image.index.v1+json", true, false)]
    [InlineData(MediaTypes.OciManifest, false, true)]
    [InlineData(MediaTypes.DockerManifest, false, true)]
    [InlineData(MediaTypes.OciArtifactManifest, false, true)]
    [InlineData(MediaTypes.DockerSchema1, false, true)]
    [InlineData(MediaTypes.DockerSchema1Signed, false, true)]
    [InlineData(MediaTypes.OciConfig, false, false)]
    [InlineData(MediaTypes.OctetStream, false, false)]
    [InlineData("", false, false)]
    [InlineData(null, false, false)]
    public void Types_are_told_apart(string? mediaType, bool isIndex, bool isManifest)
    {
        Assert.Equal(isIndex, MediaTypes.IsIndex(mediaType));
        Assert.Equal(isManifest, MediaTypes.IsManifest(mediaType));
    }

    [Fact]
    public void Upstreams_are_asked_for_every_kind_and_anything_else_last() =>
        Assert.Equal(
            "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
            + "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, */*;q=0.1",
            MediaTypes.ManifestAccept);
}
