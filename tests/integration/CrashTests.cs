using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>kill -9 at any moment: what is pulled afterwards is right, what was there is taken up again, and nothing is left lying about.</summary>
public sealed class CrashTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    /// <summary>The numbered steps of a blob fetch (BlobFetch) and of the small fetches (SmallFetch).</summary>
    public static TheoryData<int> Steps => [1, 2, 3, 4, 5, 6, 11, 12];

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Killed_after_a_numbered_step_it_restarts_and_pulls_right_and_leaves_nothing_behind(int step)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = Tidy(EntrepotSettings.WithUpstream(upstream.Url));
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        if (step < 10) Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1")).Status);
        entrepot.Kill9();
        settings.Environment["ENTREPOT_KILL_AFTER_STEP"] = step.ToString(System.Globalization.CultureInfo.InvariantCulture);
        await entrepot.StartAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => PullAsync(entrepot));
        await Eventually.Async(() => entrepot.HasExited, TimeSpan.FromSeconds(10), "the process to be killed");

        settings.Environment.Remove("ENTREPOT_KILL_AFTER_STEP");
        await entrepot.StartAsync();
        await PullAsync(entrepot);
        await AssertTidyAsync(entrepot);
    }

    [Fact]
    public async Task Killed_when_durable_and_again_among_the_first_new_bytes_it_never_resumes_over_holes()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = Tidy(EntrepotSettings.WithUpstream(upstream.Url));
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1")).Status);
        upstream.BytesPerSecond = 12 << 20; // Long enough for a renewal to write the progress down.
        foreach (var step in new[] { "5", "3" })
        {
            entrepot.Kill9();
            settings.Environment["ENTREPOT_KILL_AFTER_STEP"] = step;
            await entrepot.StartAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => PullAsync(entrepot));
            await Eventually.Async(() => entrepot.HasExited, TimeSpan.FromSeconds(20), "the process to be killed");
        }
        settings.Environment.Remove("ENTREPOT_KILL_AFTER_STEP");
        upstream.BytesPerSecond = null;
        await entrepot.StartAsync();
        await PullAsync(entrepot);
        await AssertTidyAsync(entrepot);
    }

    [StandaloneFact("a cluster's download goes to another fetcher, which has none of its bytes")]
    public async Task A_download_that_was_killed_halfway_is_resumed_where_it_was()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 8 << 20;
        await using var entrepot = await EntrepotProcess.StartNewAsync(Tidy(EntrepotSettings.WithUpstream(upstream.Url)));
        var layer = fixture.Medium.Layers[0];
        var cut = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > layer.Size / 2, TimeSpan.FromSeconds(30), "half of the blob");
        entrepot.Kill9();
        Assert.NotEqual(BodyEnd.Whole, (await cut).End);

        upstream.BytesPerSecond = null;
        await entrepot.StartAsync();
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest)).Digest);
        await PullAsync(entrepot);
        // At most what came after the last renewal, a second, came again.
        Assert.InRange(upstream.Log.BlobBytes(layer.Digest), layer.Size, layer.Size + (20L << 20));
        await AssertTidyAsync(entrepot);
    }

    [Fact]
    public async Task Killed_at_random_moments_it_always_comes_back_right()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(Tidy(EntrepotSettings.WithUpstream(upstream.Url)));
        var random = new Random(7);
        for (var round = 0; round < 8; round++)
        {
            upstream.BytesPerSecond = random.Next(4, 40) << 20;
            var clients = Enumerable.Range(0, 4).Select(_ => BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", fixture.Medium.Layers[0].Digest)).ToArray();
            var all = Task.WhenAll(clients);
            await Task.WhenAny(all, Task.Delay(random.Next(50, 1500)));
            entrepot.Kill9();
            foreach (var client in clients)
                if (await client.ContinueWith(t => t.IsCompletedSuccessfully ? t.Result : null) is { Status: 200, Completed: true } read)
                    Assert.Equal(fixture.Medium.Layers[0].Digest, read.Digest);
            await entrepot.StartAsync();
        }
        upstream.BytesPerSecond = null;
        await PullAsync(entrepot);
        await AssertTidyAsync(entrepot);
    }

    private static EntrepotSettings Tidy(EntrepotSettings settings) =>
        settings.Set("Janitor", new Dictionary<string, object?> { ["SweepInterval"] = "500ms", ["OrphanInterval"] = "500ms", ["OrphanGrace"] = "0s" });

    private async Task PullAsync(EntrepotProcess entrepot)
    {
        foreach (var (name, image) in new[] { ("library/medium", fixture.Medium), ("library/small", fixture.Small) })
        {
            Assert.Equal(image.Digest, (await BlobReader.ReadManifestAsync(entrepot.Url, name, "1")).Digest);
            foreach (var blob in image.Blobs)
            {
                var read = await BlobReader.ReadBlobAsync(entrepot.Url, name, blob.Digest);
                if (!read.Completed || read.Status != 200) throw new InvalidOperationException($"{blob.Digest} ended {read.End} after {read.BytesRead} bytes, status {read.Status} {read.ErrorText}\n{entrepot.LogText}");
                Assert.Equal(blob.Digest, read.Digest);
            }
        }
    }

    /// <summary>After a sweep the store holds exactly one object per blob that was pulled, no spool, and the tables the same.</summary>
    private async Task AssertTidyAsync(EntrepotProcess entrepot)
    {
        var expected = fixture.Medium.Blobs.Concat(fixture.Small.Blobs).Select(b => b.Digest).Distinct().Order().ToArray();
        await Eventually.Async(async () =>
        {
            var stored = (await entrepot.StoredBlobsAsync()).Select(blob => blob.Digest).Order();
            return stored.SequenceEqual(expected) && !Directory.EnumerateFiles(Path.Combine(entrepot.DataDirectory, "spool")).Any();
        }, TimeSpan.FromSeconds(20), "the store to hold what was pulled and nothing else");
        await using var tables = new Tables(entrepot);
        await Eventually.Async(async () => await tables.ActiveFetchesAsync() == 0, TimeSpan.FromSeconds(20), "no fetch to be left");
        Assert.Equal((await entrepot.StoredBlobsAsync()).Select(blob => blob.Name).Order(), (await tables.StoredObjectsAsync()).Order());
    }
}
