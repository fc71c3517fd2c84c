using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>A disk that is too small, or fills up: pulls go on.</summary>
[Collection(MachineCollection.Name)]
public sealed class DiskFullTests(RegistryFixture fixture)
{
    [ClientFact("mount", NeedsRoot = true)]
    public async Task A_layer_larger_than_the_disk_reaches_all_who_wait_and_is_not_stored()
    {
        await using var disk = await Tmpfs.MountAsync(64);
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url);
        settings.DataDirectory = Path.Combine(disk.FullPath, "data");
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var layer = fixture.Big.Layers[0];
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/big", "1");

        var reads = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => BlobReader.ReadBlobAsync(entrepot.Url, "library/big", layer.Digest)));
        Assert.All(reads, r => Assert.Equal((200, true, layer.Digest), (r.Status, r.Completed, r.Digest)));
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
        await AssertPassedThroughAsync(entrepot, layer.Digest);
    }

    [ClientFact("mount", NeedsRoot = true)]
    public async Task A_disk_that_fills_up_under_a_download_cuts_nobody_off()
    {
        await using var disk = await Tmpfs.MountAsync(64);
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 8 << 20;
        var settings = EntrepotSettings.WithUpstream(upstream.Url);
        settings.DataDirectory = Path.Combine(disk.FullPath, "data");
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var layer = fixture.Medium.Layers[0];

        var pulls = Enumerable.Range(0, 3).Select(_ => BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest)).ToArray();
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > 8 << 20, TimeSpan.FromSeconds(20), "the download to be under way");
        await using (var hog = File.Create(Path.Combine(disk.FullPath, "hog")))
        {
            // Whatever is left, so that the next write of the spool fails.
            var zeros = new byte[1 << 20];
            await Assert.ThrowsAnyAsync<IOException>(async () =>
            {
                while (true)
                {
                    await hog.WriteAsync(zeros);
                    await hog.FlushAsync();
                }
            });
        }
        foreach (var read in await Task.WhenAll(pulls)) Assert.Equal((200, true, layer.Digest), (read.Status, read.Completed, read.Digest));
        File.Delete(Path.Combine(disk.FullPath, "hog"));
        await AssertPassedThroughAsync(entrepot, layer.Digest);
    }

    [ClientFact("mount", NeedsRoot = true, StandaloneBecause = "a cluster's store is not on its spools' disk")]
    public async Task What_was_used_least_recently_makes_room_for_a_layer_that_fits()
    {
        await using var disk = await Tmpfs.MountAsync(96);
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Janitor", new Dictionary<string, object?> { ["SpareUsedWithin"] = "0s" });
        settings.DataDirectory = Path.Combine(disk.FullPath, "data");
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var medium = fixture.Medium.Layers[0];
        foreach (var blob in fixture.Forty.Blobs) Assert.Equal(blob.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/forty", blob.Digest)).Digest);
        await using (var hog = File.Create(Path.Combine(disk.FullPath, "hog"))) await hog.WriteAsync(new byte[disk.FreeBytes - medium.Size - (6 << 20)]);

        Assert.Equal(medium.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", medium.Digest)).Digest);
        await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", medium.Digest)).XCache == "HIT", TimeSpan.FromSeconds(20), "the layer to be stored");
        Assert.True((await entrepot.MetricsAsync()).Value("entrepot_evictions_total") > 0);
    }

    private async Task AssertPassedThroughAsync(EntrepotProcess entrepot, string digest)
    {
        await Eventually.Async(async () => (await entrepot.MetricsAsync()).Value("entrepot_passed_through_total") == 1, TimeSpan.FromSeconds(10), "the pass-through to be counted");
        await Eventually.Async(() => entrepot.LogText.Contains("went to its waiters through memory", StringComparison.Ordinal), TimeSpan.FromSeconds(20), "the pass-through to be logged");
        var left = Directory.GetFiles(entrepot.DataDirectory, "*", SearchOption.AllDirectories).Where(f => f.Contains(digest.Split(':')[1], StringComparison.Ordinal) || f.Contains("/spool/", StringComparison.Ordinal));
        Assert.Empty(left);
        foreach (var blob in fixture.Small.Blobs) Assert.Equal(blob.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/small", blob.Digest)).Digest);
        Assert.Equal(fixture.Small.Digest, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1")).Digest);
    }
}
