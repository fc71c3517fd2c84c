using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests;

/// <summary>One download for everybody, live.</summary>
[Collection(RegistryCollection.Name)]
public sealed class CoalescingTests(RegistryFixture fixture, ITestOutputHelper output)
{
    private const long MiB = 1L << 20;

    // In a cluster each of the forty has a connection of its own to the fetcher, which both processes open for the first time.
    private static readonly double MostMillisecondsLate = Shape.IsCluster ? 1000 : 250;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cold_pull_from_forty_clients_fetches_upstream_once(bool sizeIsKnown)
    {
        // Everything must hold each time but the time itself: other work on the machine may spoil a round, not five.
        var late = double.MaxValue;
        for (var round = 0; round < 5 && late > MostMillisecondsLate; round++) late = await PullWithFortyAsync(sizeIsKnown);
        Assert.InRange(late, 0, MostMillisecondsLate);
    }

    [Fact]
    public async Task A_throttled_client_slows_nobody_and_costs_no_memory()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Big.Layers[0];
        using var enough = new CancellationTokenSource();
        var slow = BlobReader.ReadBlobAsync(entrepot.Url, "library/big", layer.Digest, new BlobReadOptions { BytesPerSecond = MiB }, enough.Token);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > 0, TimeSpan.FromSeconds(10), "the slow client's download to begin");
        entrepot.ResetPeakRss();

        var fast = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => BlobReader.ReadBlobAsync(entrepot.Url, "library/big", layer.Digest)));

        Assert.All(fast, r => Assert.Equal((200, true, layer.Digest), (r.Status, r.Completed, r.Digest)));
        Assert.False(slow.IsCompleted);
        Assert.InRange(entrepot.PeakRssBytes, 0, 250 * MiB);

        // The same twenty without the slow one, as the measure of "not slowed".
        await using var alone = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var undisturbed = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => BlobReader.ReadBlobAsync(alone.Url, "library/big", layer.Digest)));
        Assert.InRange(fast.Max(r => r.Elapsed) / undisturbed.Max(r => r.Elapsed), 0, 2);
        await enough.CancelAsync();
        Assert.Equal(BodyEnd.GivenUp, (await slow).End);
    }

    [Fact]
    public async Task A_client_that_leaves_does_not_stop_the_download_of_the_others()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 20 * MiB;
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Medium.Layers[0];
        var leaver = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest, new BlobReadOptions { StopAfter = MiB });
        var stayer = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        Assert.Equal(BodyEnd.GivenUp, (await leaver).End);
        Assert.Equal((true, layer.Digest), ((await stayer).Completed, (await stayer).Digest));
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }

    [Fact]
    public async Task A_late_joiner_and_a_far_range_share_the_running_download()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 4 * MiB;
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Medium.Layers[0];
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1");
        var whole = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest);
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) > MiB, TimeSpan.FromSeconds(10), "the download to be under way");

        var start = 45 * MiB;
        var far = await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest, new BlobReadOptions { Range = $"bytes={start}-{start + 999}" });
        Assert.False(whole.IsCompleted);
        Assert.Equal((206, 1000L, "COALESCED"), (far.Status, far.BytesRead, far.XCache));
        Assert.Equal($"bytes {start}-{start + 999}/{layer.Size}", far.Headers["Content-Range"]);

        Assert.Equal(layer.Digest, (await whole).Digest);
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }

    [Fact]
    public async Task A_far_range_of_a_cold_blob_is_fetched_before_what_lies_between()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = MiB; // 8 s for a piece of 8 MiB.
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Medium.Layers[0];
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1");

        var start = 40 * MiB;
        var far = await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", layer.Digest, new BlobReadOptions { Range = $"bytes={start}-{start + 999}" });
        Assert.Equal((206, 1000L, "MISS"), (far.Status, far.BytesRead, far.XCache));
        Assert.InRange(far.Elapsed.TotalSeconds, 0, 4);
        Assert.Contains(upstream.Log.Matching(layer.Digest, "GET"), request => request.Range?.StartsWith($"bytes={start}-", StringComparison.Ordinal) == true);
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size, complete: false);
    }

    /// <summary>Returns how many ms after the upstream's first byte the last of forty clients had its own.</summary>
    private async Task<double> PullWithFortyAsync(bool sizeIsKnown)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        upstream.BytesPerSecond = 60 * MiB;
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Big.Layers[0];
        if (sizeIsKnown) await BlobReader.ReadManifestAsync(entrepot.Url, "library/big", "1"); // Then the layer comes in parallel ranges.
        entrepot.ResetPeakRss();

        var reads = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => BlobReader.ReadBlobAsync(entrepot.Url, "library/big", layer.Digest)));

        Assert.All(reads, r => Assert.Equal((200, true, layer.Digest), (r.Status, r.Completed, r.Digest)));
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
        Assert.Equal(sizeIsKnown, upstream.Log.BlobRanges(layer.Digest).Count > 1);
        Assert.Equal(39, reads.Count(r => r.XCache == "COALESCED"));
        Assert.Equal(1, reads.Count(r => r.XCache == "MISS"));
        Assert.InRange(entrepot.PeakRssBytes, 0, 250 * MiB);
        var firstByte = upstream.Log.BlobRanges(layer.Digest).Min(s => s.Request.FirstByteAt!.Value);
        var late = reads.Select(r => (r.FirstByteAt!.Value - firstByte).TotalMilliseconds).Order().ToArray();
        output.WriteLine($"first bytes after the upstream's: median {late[20]:0} ms, last {late[^1]:0} ms; peak RSS {entrepot.PeakRssBytes / MiB} MiB");
        return late[^1];
    }
}
