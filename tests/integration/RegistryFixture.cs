using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>One real registry for the whole run, with the images that the tests pull.</summary>
public sealed class RegistryFixture : IAsyncLifetime
{
    private readonly TempFolder _folder = new("images");

    public DebianRegistry Registry { get; private set; } = null!;

    public Image Small { get; } = ImageMaker.Small();

    public Image DockerSmall { get; } = ImageMaker.Small("docker", docker: true);

    public Image Forty { get; } = ImageMaker.ManyLayers();

    public Image Index { get; } = ImageMaker.Index();

    /// <summary>One layer of 256 MiB.</summary>
    public Image Big { get; private set; } = null!;

    /// <summary>One layer of 48 MiB: large enough for parallel ranges.</summary>
    public Image Medium { get; private set; } = null!;

    /// <summary>One layer of 3 MiB, one connection.</summary>
    public Image Little { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Registry = await DebianRegistry.StartNewAsync();
        Big = await ImageMaker.BigAsync(256, 1, _folder);
        Medium = await ImageMaker.BigAsync(48, 2, _folder);
        Little = await ImageMaker.BigAsync(3, 3, _folder);
        foreach (var (name, image) in new[] { ("small", Small), ("docker", DockerSmall), ("forty", Forty), ("index", Index), ("big", Big), ("medium", Medium), ("little", Little) })
            await Registry.PushAsync(image, "library/" + name);
        await Registry.PushAsync(Small, "team/private");
        await Registry.PushAsync(Little, "team/private", "little");
    }

    public async Task DisposeAsync()
    {
        await Registry.DisposeAsync();
        _folder.Dispose();
    }
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class RegistryCollection : ICollectionFixture<RegistryFixture>
{
    public const string Name = "registry";
}
