using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Nobody waits for it, everybody stands still, the process is paused.</summary>
public sealed class StandstillTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Fact]
    public async Task A_download_that_nobody_waits_for_is_given_up_while_it_is_less_than_half_done()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 1 << 18;
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Fetcher", new Dictionary<string, object?> { ["AbandonAfter"] = "15s" });
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var layer = fixture.Medium.Layers[0];
        await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest, new BlobReadOptions { StopAfter = 100_000 });
        await Eventually.Async(() => entrepot.LogText.Contains("given up", StringComparison.Ordinal), TimeSpan.FromSeconds(40), "the download to be given up");
        Assert.InRange(upstream.Log.BlobBytes(layer.Digest), 0, layer.Size / 2);
        upstream.BytesPerSecond = null;
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest)).Digest);
    }

    [Fact]
    public async Task An_upstream_that_stays_silent_ends_a_body_short_and_not_with_a_reset()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url).Set("Api", new Dictionary<string, object?> { ["BodyStallTimeout"] = "5s" });
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var layer = fixture.Little.Layers[0];
        upstream.Inject(Fault.HangMidBody(1_000_000), layer.Digest);
        var read = await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest);
        Assert.Equal((200, BodyEnd.Early), (read.Status, read.End));
        Assert.InRange(read.BytesRead, 1, layer.Size - 1);
    }

    [Fact]
    public async Task A_process_that_was_paused_beyond_its_leases_goes_on_with_its_pulls()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 12 << 20;
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Medium.Layers[0];
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > 4 << 20, TimeSpan.FromSeconds(10), "the pull to be under way");
        entrepot.Pause();
        await Task.Delay(TimeSpan.FromSeconds(12)); // Longer than a lease: the standstill itself is what is tested.
        entrepot.Resume();
        Assert.Equal((true, layer.Digest), ((await pull).Completed, (await pull).Digest));
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }
}
