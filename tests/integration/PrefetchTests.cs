using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What is fetched before anybody asks for it, and what is not.</summary>
public sealed class PrefetchTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Fact]
    public async Task The_first_layer_asked_for_brings_all_layers_of_its_manifest_once()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/forty", "1");
        Assert.Empty(upstream.Log.Matching("/blobs/")); // A manifest alone is what inspectors ask for.
        await BlobReader.ReadBlobAsync(entrepot.Url, "library/forty", fixture.Forty.Layers[3].Digest);
        var layers = fixture.Forty.Layers.Select(l => l.Digest).Distinct().ToArray();
        await Eventually.Async(async () => (await entrepot.MetricsAsync()).Value("entrepot_blobs_stored_total") >= layers.Length, TimeSpan.FromSeconds(20), "all layers to be stored");
        Assert.All(layers, digest => Assert.Single(upstream.Log.Matching(digest, "GET")));
        Assert.Empty(upstream.Log.Matching(fixture.Forty.Config!.Digest));
        upstream.Log.Clear();
        foreach (var layer in fixture.Forty.Layers) Assert.Equal("HIT", (await BlobReader.ReadBlobAsync(entrepot.Url, "library/forty", layer.Digest)).XCache);
        Assert.Empty(upstream.Log.All);
    }

    [Fact]
    public async Task A_config_or_an_index_brings_nothing_else()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/index", "1");
        var child = fixture.Index.Children[0];
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/index", child.Digest);
        await BlobReader.ReadBlobAsync(entrepot.Url, "library/index", child.Config!.Digest);
        var layer = child.Layers[0].Digest;
        Assert.Equal(layer, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/index", layer)).Digest);
        await Eventually.Async(async () => (await entrepot.MetricsAsync()).Value("entrepot_blobs_stored_total") >= 3, TimeSpan.FromSeconds(10), "the platform that was asked for");
        foreach (var other in fixture.Index.Children.Skip(1)) Assert.Empty(upstream.Log.Matching(other.Config!.Digest));
    }
}
