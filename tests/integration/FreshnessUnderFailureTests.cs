using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests;

/// <summary>Tags and lists while something goes wrong: no tag comes back, no upstream suffers for another, no client takes all memory.</summary>
public sealed class FreshnessUnderFailureTests(RegistryFixture fixture, ITestOutputHelper output) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const string Repository = "library/failing";
    private static readonly Image First = ImageMaker.Small("failing 1");
    private static readonly Image Second = ImageMaker.Small("failing 2");
    private readonly List<EntrepotProcess> _started = [];
    private UpstreamFront _upstream = null!;
    private UpstreamFront _other = null!;

    public async Task InitializeAsync()
    {
        _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        _other = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
    }

    public async Task DisposeAsync()
    {
        foreach (var entrepot in _started) await entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Fact]
    public async Task A_tag_that_is_known_to_be_gone_is_not_served_again_within_stale_while_revalidate()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"), ("TagGone", "NotFound"), ("StaleWhileRevalidate", "1h"));
        await PullAsync(entrepot, tag);
        _upstream.Inject(Fault.Status(404), $"/manifests/{tag}");
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)).Status == 404, TimeSpan.FromSeconds(10), "the tag to be gone");
        await AlwaysAsync(async () => (await PullAsync(entrepot, tag)).Status == 404, TimeSpan.FromSeconds(6), "the tag to stay gone");
    }

    [Fact]
    public async Task A_tag_that_its_upstream_has_deleted_is_not_brought_back_by_an_outage()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"), ("TagGone", "NotFound"), ("NotFoundTtl", "1s"));
        await PullAsync(entrepot, tag);
        var gone = _upstream.Inject(Fault.Status(404), $"/manifests/{tag}");
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)).Status == 404, TimeSpan.FromSeconds(10), "the tag to be gone");
        gone.Heal();
        _upstream.Inject(Fault.Status(503));
        await AlwaysAsync(async () => (await PullAsync(entrepot, tag)).Status != 200, TimeSpan.FromSeconds(8), "the tag to stay gone");
    }

    [Fact]
    public async Task An_upstream_that_hangs_takes_no_fetch_from_another_one()
    {
        var (held, cold) = (await PushedAsync(First), await PushedAsync(First));
        var entrepot = await StartAsync(("TagTtl", "1s"));
        await PullAsync(entrepot, held);
        await fixture.Registry.PushAsync(Second, Repository, held);
        await SentinelTag.UntilDueAsync(fixture, _upstream, entrepot);
        _other.Inject(Fault.HangBeforeHeaders());
        var hanging = Enumerable.Range(0, 40).Select(i => BlobReader.ReadManifestAsync(entrepot.Url, $"other.test/{Repository}", $"t{i}")).ToList();
        await Eventually.Async(() => Task.FromResult(_other.Log.All.Count >= 20), TimeSpan.FromSeconds(20), "the other upstream to hold fetches");

        var tag = await PullAsync(entrepot, held);
        var miss = await PullAsync(entrepot, cold);
        _other.HealAll();
        await Task.WhenAll(hanging);
        Assert.Equal((200, Second.Digest, null), (tag.Status, tag.Digest, tag.Headers.GetValueOrDefault("Warning")));
        Assert.Equal((200, true), (miss.Status, miss.Elapsed < TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task A_list_that_takes_long_does_not_make_the_tags_of_its_upstream_stale()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"));
        await PullAsync(entrepot, tag);
        Assert.Equal(200, (await ListAsync(entrepot)).Status);
        await fixture.Registry.PushAsync(Second, Repository, tag);
        _upstream.Inject(Fault.HangBeforeHeaders(), "/tags/list");
        await Eventually.Async(async () => (await ListAsync(entrepot)).XCache == "STALE", TimeSpan.FromSeconds(20), "the list to be due");

        var read = await PullAsync(entrepot, tag);
        Assert.Equal((200, Second.Digest, null), (read.Status, read.Digest, read.Headers.GetValueOrDefault("Warning")));
    }

    [Fact]
    public async Task A_tag_is_seen_to_move_when_its_upstream_hung_once_long_ago()
    {
        var (tag, hung) = (await PushedAsync(First), await PushedAsync(First));
        var entrepot = await StartAsync(("TagTtl", "1s"), ("HeaderTimeout", "3s"));
        foreach (var one in new[] { tag, hung }) await PullAsync(entrepot, one);
        await SentinelTag.UntilDueAsync(fixture, _upstream, entrepot);
        var hang = _upstream.Inject(Fault.HangBeforeHeaders());
        Assert.Equal("STALE", (await PullAsync(entrepot, hung)).XCache);
        await using (var tables = new Tables(entrepot))
            await Eventually.Async(async () => await tables.ActiveFetchesAsync() == 0, TimeSpan.FromSeconds(10), "the fetch to fail");
        hang.Heal();
        await fixture.Registry.PushAsync(Second, Repository, tag);
        // Nobody pulls: the recovery is noticed all the same.
        await Eventually.Async(() => entrepot.LogText.Contains("docker.io answers again", StringComparison.Ordinal), TimeSpan.FromSeconds(10), "the recovery to be noticed");
        Assert.Equal(Second.Digest, (await PullAsync(entrepot, tag)).Digest);
    }

    [Fact]
    public async Task What_is_remembered_of_a_silent_upstream_does_not_end_its_silence()
    {
        var (gone, one, two) = (await PushedAsync(First), await PushedAsync(First), await PushedAsync(First));
        var entrepot = await StartAsync(("TagTtl", "1s"), ("NotFoundTtl", "1m"));
        foreach (var tag in new[] { gone, one, two }) await PullAsync(entrepot, tag);
        using (var deleted = new Healing(_upstream.Inject(Fault.Status(404), $"/manifests/{gone}")))
            await Eventually.Async(async () => (await PullAsync(entrepot, gone)).XCache == "STALE", TimeSpan.FromSeconds(20), "the tag to be gone");
        await SentinelTag.UntilFailuresAreOverAsync(fixture, _upstream, entrepot);
        _upstream.Inject(Fault.HangBeforeHeaders());
        Assert.InRange((await PullAsync(entrepot, one)).Elapsed.TotalSeconds, 1.5, 4);
        await AlwaysAsync(async () =>
        {
            var read = await PullAsync(entrepot, gone);
            Assert.Equal((200, "STALE", "299 - \"stale: it is gone from its upstream\""), (read.Status, read.XCache, read.Headers["Warning"]));
            return (await entrepot.MetricsAsync()).Value("entrepot_upstream_silent") == 1;
        }, TimeSpan.FromSeconds(1), "the upstream to stay silent");
        Assert.Equal(2, _upstream.Log.Matching($"/manifests/{gone}", "HEAD").Count);

        Assert.InRange((await PullAsync(entrepot, two)).Elapsed.TotalSeconds, 0, 1.5);
    }

    [Fact]
    public async Task A_clock_that_was_ahead_does_not_freeze_a_tag()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"));
        await PullAsync(entrepot, tag);
        await fixture.Registry.PushAsync(Second, Repository, tag);
        await entrepot.StopAsync();
        await using (var tables = new Tables(entrepot)) await tables.ExecuteAsync("UPDATE tags SET checked_at = checked_at + 3600000");
        await entrepot.StartAsync();
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)).Digest == Second.Digest, TimeSpan.FromSeconds(10), "the moved tag to be seen");
    }

    [Theory]
    [InlineData("referrers of which none is of the type", 60)]
    [InlineData("one tag of the list", 60)]
    [InlineData("all tags of the list", 30)]
    public async Task Many_requests_for_a_long_list_take_little_memory(string what, int requests)
    {
        const int entries = 90_000;
        await using var registry = await MemoryRegistry.StartNewAsync();
        var numbers = Enumerable.Range(0, entries);
        registry.Repository("r").SetReferrers(First.Digest, [.. numbers.Select(i => $$"""{"mediaType":"{{MediaTypes.OciManifest}}","digest":"sha256:{{i:x64}}","size":3}""")]);
        registry.Repository("r").ListedTags = [.. numbers.Select(i => $"{i:x110}")];
        var entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings().Add("lab.test", registry.Url, ("TagTtl", "1m"), ("SignatureTagTtl", "1m")).Set("DefaultUpstream", "lab.test"));
        _started.Add(entrepot);
        var list = new Uri(entrepot.Url, what.Split(' ')[0] switch
        {
            "referrers" => $"/v2/r/referrers/{First.Digest}?artifactType=none",
            "one" => "/v2/r/tags/list?n=1",
            _ => "/v2/r/tags/list",
        });
        await Eventually.Async(async () => (await BlobReader.ReadAsync(list)) is { Status: 200, XCache: "HIT" }, TimeSpan.FromSeconds(40), "the list to be held");
        entrepot.ResetPeakRss();
        var before = entrepot.RssBytes;
        var began = TestClock.Now;
        var reads = await Task.WhenAll(Enumerable.Range(0, requests).Select(_ => BlobReader.ReadAsync(list)));
        output.WriteLine($"{what}: {requests} requests of {reads[0].BytesRead} bytes, resident {before >> 20} MiB before, peak {entrepot.PeakRssBytes >> 20} MiB, {(TestClock.Now - began).TotalSeconds:0.0} s");
        Assert.All(reads, read => Assert.Equal((200, true, reads[0].BytesRead), (read.Status, read.Completed, read.BytesRead)));
        Assert.InRange(entrepot.PeakRssBytes - before, 0, 512 << 20);
    }

    private static async Task AlwaysAsync(Func<Task<bool>> holds, TimeSpan during, string what)
    {
        var until = TestClock.Now + during;
        while (TestClock.Now < until)
        {
            Assert.True(await holds(), $"expected {what}");
            await Task.Delay(TimeSpan.FromMilliseconds(100)); // Between two looks.
        }
    }

    private async Task<string> PushedAsync(Image image)
    {
        var tag = $"t{Guid.NewGuid():N}";
        await fixture.Registry.PushAsync(image, Repository, tag);
        return tag;
    }

    private async Task<EntrepotProcess> StartAsync(params (string, object?)[] options)
    {
        var entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings().Add("docker.io", _upstream.Url, options).Add("other.test", _other.Url)
            .Set("DefaultUpstream", "docker.io").Set("Api", new Dictionary<string, object?> { ["FailedCheckLasts"] = "3s" }));
        _started.Add(entrepot);
        return entrepot;
    }

    private static Task<BlobRead> PullAsync(EntrepotProcess entrepot, string reference) => BlobReader.ReadManifestAsync(entrepot.Url, Repository, reference);

    private static Task<BlobRead> ListAsync(EntrepotProcess entrepot) => BlobReader.ReadAsync(new Uri(entrepot.Url, $"/v2/{Repository}/tags/list"));

    private sealed class Healing(InjectedFault fault) : IDisposable
    {
        public void Dispose() => fault.Heal();
    }
}
