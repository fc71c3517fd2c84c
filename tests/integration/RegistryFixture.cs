using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>One real registry for the whole run, with the images that the tests pull: whoever needs it first starts it, the end of the run ends it.</summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private static readonly Lazy<Task<SharedRegistry>> Started = new(SharedRegistry.StartAsync);
    private SharedRegistry _shared = null!;

    public DebianRegistry Registry => _shared.Registry;

    public Image Small => _shared.Small;

    public Image DockerSmall => _shared.DockerSmall;

    public Image Forty => _shared.Forty;

    public Image Index => _shared.Index;

    /// <summary>One layer of 256 MiB.</summary>
    public Image Big => _shared.Big;

    /// <summary>One layer of 48 MiB: large enough for parallel ranges.</summary>
    public Image Medium => _shared.Medium;

    /// <summary>One layer of 3 MiB, one connection.</summary>
    public Image Little => _shared.Little;

    public async Task InitializeAsync() => _shared = await Started.Value;

    public Task DisposeAsync() => Task.CompletedTask;

    private sealed record SharedRegistry(DebianRegistry Registry, Image Small, Image DockerSmall, Image Forty, Image Index, Image Big, Image Medium, Image Little)
    {
        private static readonly TempFolder Folder = new("images");

        public static async Task<SharedRegistry> StartAsync()
        {
            var shared = new SharedRegistry(
                await DebianRegistry.StartNewAsync(), ImageMaker.Small(), ImageMaker.Small("docker", docker: true), ImageMaker.ManyLayers(), ImageMaker.Index(),
                await ImageMaker.BigAsync(256, 1, Folder), await ImageMaker.BigAsync(48, 2, Folder), await ImageMaker.BigAsync(3, 3, Folder));
            foreach (var (name, image) in new[]
            {
                ("small", shared.Small), ("docker", shared.DockerSmall), ("forty", shared.Forty), ("index", shared.Index),
                ("big", shared.Big), ("medium", shared.Medium), ("little", shared.Little),
            })
                await shared.Registry.PushAsync(image, "library/" + name);
            await shared.Registry.PushAsync(shared.Small, "team/private");
            await shared.Registry.PushAsync(shared.Little, "team/private", "little");
            return shared;
        }
    }
}

/// <summary>
/// The tests that measure time or memory: one after the other, with nothing beside them. Those that mostly wait are classes with this fixture and
/// no collection: they run at the same time.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RegistryCollection : ICollectionFixture<RegistryFixture>
{
    public const string Name = "registry";
}

/// <summary>The tests that change the machine's own set-up (mounts, daemons): one after the other, beside those that mostly wait.</summary>
[CollectionDefinition(Name)]
public sealed class MachineCollection : ICollectionFixture<RegistryFixture>
{
    public const string Name = "machine";
}
