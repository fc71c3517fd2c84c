using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>One real registry for the whole run, with the images that the tests pull: whoever needs it first starts it, the end of the run ends it.</summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private static readonly Lazy<Task> Started = new(StartAsync);
    private static readonly TempFolder Folder = new("images");
    private static DebianRegistry? _registry;

    public DebianRegistry Registry => _registry!;

    public Image Small => Images.Small;

    public Image DockerSmall => Images.DockerSmall;

    public Image Forty => Images.Forty;

    public Image Index => Images.Index;

    /// <summary>One layer of 256 MiB.</summary>
    public Image Big => Images.Big;

    /// <summary>One layer of 48 MiB: large enough for parallel ranges.</summary>
    public Image Medium => Images.Medium;

    /// <summary>One layer of 3 MiB, one connection.</summary>
    public Image Little => Images.Little;

    public Task InitializeAsync() => Started.Value;

    public Task DisposeAsync() => Task.CompletedTask;

    private static async Task StartAsync()
    {
        _registry = await DebianRegistry.StartNewAsync();
        Images.Big = await ImageMaker.BigAsync(256, 1, Folder);
        Images.Medium = await ImageMaker.BigAsync(48, 2, Folder);
        Images.Little = await ImageMaker.BigAsync(3, 3, Folder);
        foreach (var (name, image) in new[]
        {
            ("small", Images.Small), ("docker", Images.DockerSmall), ("forty", Images.Forty), ("index", Images.Index),
            ("big", Images.Big), ("medium", Images.Medium), ("little", Images.Little),
        })
            await _registry.PushAsync(image, "library/" + name);
        await _registry.PushAsync(Images.Small, "team/private");
        await _registry.PushAsync(Images.Little, "team/private", "little");
    }

    private static class Images
    {
        public static Image Small { get; } = ImageMaker.Small();

        public static Image DockerSmall { get; } = ImageMaker.Small("docker", docker: true);

        public static Image Forty { get; } = ImageMaker.ManyLayers();

        public static Image Index { get; } = ImageMaker.Index();

        public static Image Big { get; set; } = null!;

        public static Image Medium { get; set; } = null!;

        public static Image Little { get; set; } = null!;
    }
}

/// <summary>
/// The tests that measure time or memory, or change the machine's own set-up (mounts, daemons): one after the other, with nothing beside them.
/// Those that mostly wait are classes with this fixture and no collection: they run at the same time.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RegistryCollection : ICollectionFixture<RegistryFixture>
{
    public const string Name = "registry";
}
