using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Over how many connections a large blob comes: one where that is enough, more where it is not.</summary>
public sealed class ConnectionsTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const int MiB = 1 << 20;
    private readonly List<EntrepotProcess> _started = [];
    private UpstreamFront _upstream = null!;

    private Layer Medium => fixture.Medium.Layers[0];

    public async Task InitializeAsync() => _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);

    public async Task DisposeAsync()
    {
        foreach (var entrepot in _started) await entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(1)]
    public async Task A_slow_upstream_is_asked_over_as_many_connections_as_configured_and_never_more(int connections)
    {
        _upstream.BytesPerSecond = 6 * MiB;
        var entrepot = await StartAsync(connections);
        await PullAsync(entrepot);
        Assert.Equal(connections, MostAtOnce(Medium.Digest));
        _upstream.Log.AssertNoByteTwice(Medium.Digest, Medium.Size);
    }

    [Fact]
    public async Task A_first_connection_that_hangs_does_not_keep_the_others_waiting()
    {
        var hang = _upstream.Inject(Fault.HangMidBody(MiB), Medium.Digest, count: 1);
        var entrepot = await StartAsync(4);
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1")).Status);
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest);

        // All that is not the hanging one's comes meanwhile: pieces of this blob are 8 MiB long.
        await Eventually.Async(() => _upstream.Log.BlobBytes(Medium.Digest) >= Medium.Size - (7 * MiB), TimeSpan.FromSeconds(20), "the others to bring the rest");
        Assert.False(pull.IsCompleted);
        hang.Heal();
        var read = await pull.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((200, true, Medium.Digest), (read.Status, read.Completed, read.Digest));
        _upstream.Log.AssertNoByteTwice(Medium.Digest, Medium.Size);
    }

    [Fact]
    public async Task An_upstream_that_becomes_slow_later_is_asked_over_more()
    {
        // The first piece comes as fast as can be; whoever asks for a later one finds a slow upstream.
        var entrepot = await StartAsync(4);
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/big", "1")).Status);
        var layer = fixture.Big.Layers[0];
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/big", layer.Digest);
        await Eventually.Async(() => _upstream.Log.BlobBytes(layer.Digest) > 0, TimeSpan.FromSeconds(10), "the download to begin");
        _upstream.BytesPerSecond = 16 * MiB;
        var read = await pull.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal((200, true, layer.Digest), (read.Status, read.Completed, read.Digest));
        Assert.Equal(4, MostAtOnce(layer.Digest));
        _upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }

    /// <summary>How fast this machine is depends on who else uses it: one of several blobs that are over before the first look shows it.</summary>
    [Fact]
    public async Task A_fast_upstream_is_asked_over_one_connection_at_a_time()
    {
        await using var memory = await MemoryRegistry.StartNewAsync();
        await using var front = await UpstreamFront.StartNewAsync(memory.Url);
        var entrepot = await StartAsync(4, front);
        var seen = new List<int>();
        await Eventually.Async(async () =>
        {
            var bytes = new byte[10 * MiB];
            Random.Shared.NextBytes(bytes);
            var digest = memory.Repository("library/fast").AddBlob(bytes);
            var manifest = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{digest}}","size":{{bytes.Length}}},"layers":[]}""";
            var manifestDigest = memory.Repository("library/fast").AddManifest(System.Text.Encoding.UTF8.GetBytes(manifest), MediaTypes.OciManifest);
            Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/fast", manifestDigest)).Status);
            var read = await BlobReader.ReadBlobAsync(entrepot.Url, "library/fast", digest);
            Assert.Equal((200, true, digest), (read.Status, read.Completed, read.Digest));
            await front.Log.SettleAsync();

            // In two pieces, one behind the other.
            Assert.Equal(2, front.Log.Matching(digest, "GET").Count);
            seen.Add(MostAtOnce(front, digest));
            return seen[^1] == 1;
        }, TimeSpan.FromSeconds(30), "a blob to come over one connection at a time");
    }

    private int MostAtOnce(string digest) => MostAtOnce(_upstream, digest);

    private static int MostAtOnce(UpstreamFront upstream, string digest)
    {
        var requests = upstream.Log.Matching(digest, "GET");
        return requests.Max(r => requests.Count(other => other.StartedAt <= r.StartedAt && (other.FinishedAt is null || other.FinishedAt > r.StartedAt)));
    }

    private async Task PullAsync(EntrepotProcess entrepot)
    {
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1")).Status);
        var read = await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest);
        Assert.Equal((200, true, Medium.Digest), (read.Status, read.Completed, read.Digest));
        await _upstream.Log.SettleAsync();
    }

    private async Task<EntrepotProcess> StartAsync(int connections, UpstreamFront? upstream = null)
    {
        var url = (upstream ?? _upstream).Url;
        var settings = EntrepotSettings.WithUpstream(url).Add(EntrepotSettings.DefaultUpstream, url, ("Connections", connections)).Set("Fetcher", new Dictionary<string, object?> { ["ParallelFrom"] = "1MiB" });
        var entrepot = await EntrepotProcess.StartNewAsync(settings);
        _started.Add(entrepot);
        return entrepot;
    }
}
