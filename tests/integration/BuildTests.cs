using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Builds whose base image comes through Entrepot, cold and then hot with the upstream gone. Docker Hub itself answers none of them.</summary>
[Collection(MachineCollection.Name)]
public sealed class BuildTests(RegistryFixture fixture)
{
    private const string Base = "library/small:1";

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public Task Docker_build_with_the_classic_builder_gets_its_base_through_registry_mirrors() => BuildAsync(mirror => DockerBuild.RunAsync(mirror, Base, buildKit: false));

    [ClientFact(Docker.Command, Docker.Client, NeedsRoot = true)]
    public Task Docker_build_with_BuildKit_gets_its_base_through_the_registry_mirrors_dockerd_started_with() => BuildAsync(mirror => DockerBuild.RunAsync(mirror, Base, buildKit: true));

    [ClientFact(Podman.Command, NeedsRoot = true)]
    public Task Podman_build_gets_its_base_through_registries_conf() => BuildAsync(mirror => Podman.BuildAsync(mirror, Base));

    [ClientFact(Buildah.Command, NeedsRoot = true)]
    public Task Buildah_build_gets_its_base_through_registries_conf() => BuildAsync(mirror => Buildah.BuildAsync(mirror, Base));

    [ClientFact(Buildah.Command, NeedsRoot = true)]
    public async Task Buildah_from_gets_its_base_through_registries_conf() =>
        Assert.Equal(fixture.Small.Digest, await ColdThenHot.RunAsync(fixture, mirror => Buildah.FromAsync(mirror, Base)));

    private Task<string> BuildAsync(Func<Uri, Task<BuildResult>> build) => ColdThenHot.RunAsync(fixture, async mirror =>
    {
        var built = await build(mirror);
        Assert.Equal(fixture.Small.Layers[0].DiffId, built.DiffIds[0]);
        Assert.Equal(2, built.DiffIds.Count);
        Assert.Equal(BuildResult.LabelOfTests, built.Label);
        return built.DiffIds[0];
    });
}
