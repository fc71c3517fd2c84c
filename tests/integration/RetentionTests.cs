using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>The store keeps within its bound and hurts nobody.</summary>
public sealed class RetentionTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Fact]
    public async Task The_store_is_brought_below_its_bound_and_what_is_in_use_stays()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Janitor", new Dictionary<string, object?>
        {
            ["MaxStoreBytes"] = "4MiB", ["SweepInterval"] = "500ms", ["SpareUsedWithin"] = "3s",
        });
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        await PullAsync(entrepot, "library/forty", fixture.Forty);
        // The small image is used all the time, the other not again.
        await Eventually.Async(async () =>
        {
            await PullAsync(entrepot, "library/small", fixture.Small);
            return (await entrepot.StoredBlobsAsync()).Sum(blob => blob.Size) <= 4 << 20;
        }, TimeSpan.FromSeconds(30), "the store to be within its bound");
        await Eventually.Async(() => fixture.Forty.Layers.Any(l => entrepot.LogText.Contains($"Blob {l.Digest} evicted: {l.Size} bytes", StringComparison.Ordinal)) && entrepot.LogText.Contains("; the store is over its bound", StringComparison.Ordinal),
            TimeSpan.FromSeconds(10), "the log to tell what went and why");
        upstream.Log.Clear();
        await PullAsync(entrepot, "library/small", fixture.Small);
        Assert.Empty(upstream.Log.Matching("/library/small/blobs/"));
        // What went comes back from the upstream.
        await PullAsync(entrepot, "library/forty", fixture.Forty);
        Assert.NotEmpty(upstream.Log.Matching("/library/forty/blobs/", "GET"));
    }

    [Fact]
    public async Task Readers_never_notice_evictions()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Janitor", new Dictionary<string, object?>
        {
            ["MaxStoreBytes"] = "1MiB", ["SweepInterval"] = "500ms", ["SpareUsedWithin"] = "0s",
        });
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var until = TestClock.Now + TimeSpan.FromSeconds(8);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            while (TestClock.Now < until) await PullAsync(entrepot, "library/little", fixture.Little);
        }));
        Assert.True((await entrepot.MetricsAsync()).Value("entrepot_evictions_total") > 0);
    }

    [Fact]
    public async Task An_object_that_vanished_or_was_cut_behind_our_back_is_fetched_again()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Little.Layers[0];
        foreach (var text in new[] { null, "short" })
        {
            await PullAsync(entrepot, "library/little", fixture.Little);
            await Eventually.Async(async () => (await StoredAsync(entrepot, layer.Digest)).Length == 1, TimeSpan.FromSeconds(10), "the layer to be stored");
            await entrepot.SpoilStoredAsync((await StoredAsync(entrepot, layer.Digest))[0], text);
            await PullAsync(entrepot, "library/little", fixture.Little);
        }
    }

    private static async Task PullAsync(EntrepotProcess entrepot, string repository, Image image)
    {
        Assert.Equal(image.Digest, (await BlobReader.ReadManifestAsync(entrepot.Url, repository, "1")).Digest);
        foreach (var blob in image.Blobs)
        {
            var read = await BlobReader.ReadBlobAsync(entrepot.Url, repository, blob.Digest);
            Assert.Equal((200, true, blob.Digest), (read.Status, read.Completed, read.Digest));
        }
    }

    private static async Task<StoredBlobFile[]> StoredAsync(EntrepotProcess entrepot, string digest) => [.. (await entrepot.StoredBlobsAsync()).Where(blob => blob.Digest == digest)];
}
