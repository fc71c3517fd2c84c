using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class AcceptHeaderTests
{
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*/*")]
    [InlineData("application/*")]
    [InlineData("application/json")]
    [InlineData("garbage;;;,,q=")]
    [InlineData(MediaTypes.OciIndex)]
    [InlineData(MediaTypes.DockerManifestList)]
    [InlineData(MediaTypes.OciManifest + ", " + MediaTypes.OciIndex + ";q=0.5")]
    [InlineData(MediaTypes.OciManifest + ", */*;q=0.1")]
    [InlineData("APPLICATION/VND.OCI.IMAGE.INDEX.V1+JSON, " + MediaTypes.OciManifest)]
    public void An_index_is_allowed_unless_only_other_manifests_are_named(string? header) => Assert.True(AcceptHeader.AllowsIndex(header));

    [Theory]
    [InlineData(MediaTypes.OciManifest)]
    [InlineData(MediaTypes.DockerManifest + ";q=0.9, application/json")]
    [InlineData(MediaTypes.DockerSchema1Signed + "," + MediaTypes.DockerManifest)]
    [InlineData(MediaTypes.OciManifest + ", " + MediaTypes.OciIndex + ";q=0")]
    [InlineData(MediaTypes.OciManifest + ", */*; q=0.000")]
    [InlineData(MediaTypes.OciIndex + ";q=0")]
    public void A_client_that_names_manifests_and_no_index_cannot_read_one(string header) => Assert.False(AcceptHeader.AllowsIndex(header));
}
