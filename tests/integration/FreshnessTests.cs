using System.Globalization;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>How long what is known of a tag counts, and what its answers say of it.</summary>
public sealed class FreshnessTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const string Repository = "library/fresh";
    private static readonly Image First = ImageMaker.Small("fresh 1");
    private static readonly Image Second = ImageMaker.Small("fresh 2");
    private readonly List<EntrepotProcess> _started = [];
    private UpstreamFront _upstream = null!;

    public async Task InitializeAsync() => _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);

    public async Task DisposeAsync()
    {
        foreach (var entrepot in _started) await entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task A_moved_tag_is_seen_within_its_TTL_and_the_old_digest_stays()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "2s"));
        var cold = await PullAsync(entrepot, tag);
        Assert.Equal((200, First.Digest, "MISS", "0"), (cold.Status, cold.Digest, cold.XCache, cold.Headers["Age"]));
        await fixture.Registry.PushAsync(Second, Repository, tag);
        var moved = TestClock.Now;
        await Eventually.Async(async () =>
        {
            var read = await PullAsync(entrepot, tag);
            Assert.InRange(int.Parse(read.Headers["Age"], CultureInfo.InvariantCulture), 0, 2);
            return read.Digest == Second.Digest;
        }, TimeSpan.FromSeconds(5), "the moved tag to be seen");
        Assert.InRange((TestClock.Now - moved).TotalSeconds, 0, 4);

        // The digest is not asked for again, and not aged: content does not change.
        _upstream.Log.Clear();
        var old = await PullAsync(entrepot, First.Digest);
        Assert.Equal((200, First.Digest, "HIT", "max-age=31536000"), (old.Status, old.Digest, old.XCache, old.Headers["Cache-Control"]));
        Assert.False(old.Headers.ContainsKey("Age"));
        Assert.Empty(_upstream.Log.All);
    }

    [Fact]
    public async Task An_immutable_tag_is_never_asked_for_again_and_an_excluded_one_is()
    {
        foreach (var tag in new[] { "v1", "latest", "nightly-7" }) await fixture.Registry.PushAsync(First, Repository, tag);
        var entrepot = await StartAsync(("TagTtl", "1s"), ("ImmutableTags", new[] { ".*" }));
        foreach (var tag in new[] { "v1", "latest", "nightly-7" }) Assert.Equal(First.Digest, (await PullAsync(entrepot, tag)).Digest);
        foreach (var tag in new[] { "v1", "latest", "nightly-7" }) await fixture.Registry.PushAsync(Second, Repository, tag);
        _upstream.Log.Clear();

        foreach (var tag in new[] { "latest", "nightly-7" })
            await Eventually.Async(async () => (await PullAsync(entrepot, tag)).Digest == Second.Digest, TimeSpan.FromSeconds(20), $"{tag} to move");
        for (var i = 0; i < 20; i++)
        {
            var read = await PullAsync(entrepot, "v1");
            Assert.Equal((200, First.Digest, "HIT"), (read.Status, read.Digest, read.XCache));
        }
        Assert.Empty(_upstream.Log.Matching("/manifests/v1"));
        Assert.NotEmpty(_upstream.Log.Matching("/manifests/latest"));
    }

    [Fact]
    public async Task A_tag_pattern_has_a_TTL_of_its_own()
    {
        var (slow, quick) = (await PushedAsync(First, "v"), await PushedAsync(First, "rc"));
        var entrepot = await StartAsync(("TagTtl", "1h"), ("TagTtls", new Dictionary<string, object?> { ["^rc"] = "1s" }));
        foreach (var tag in new[] { slow, quick }) await PullAsync(entrepot, tag);
        foreach (var tag in new[] { slow, quick }) await fixture.Registry.PushAsync(Second, Repository, tag);
        await Eventually.Async(async () => (await PullAsync(entrepot, quick)).Digest == Second.Digest, TimeSpan.FromSeconds(20), "the quick tag to move");
        Assert.Equal((First.Digest, "HIT"), (await PullAsync(entrepot, slow) is var read ? (read.Digest, read.XCache) : default));
    }

    [Fact]
    public async Task Fifty_concurrent_requests_on_an_expired_tag_cause_one_HEAD()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"));
        await PullAsync(entrepot, tag);
        for (var round = 0; round < 5; round++)
        {
            await SentinelTag.UntilDueAsync(fixture, _upstream, entrepot);
            _upstream.Log.Clear();
            var reads = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => PullAsync(entrepot, tag)));
            Assert.All(reads, read => Assert.Equal((200, First.Digest, "HIT"), (read.Status, read.Digest, read.XCache)));
            var request = Assert.Single(_upstream.Log.All);
            Assert.Equal("HEAD", request.Method);
        }
    }

    [Fact]
    public async Task Fifty_concurrent_requests_on_an_expired_list_cause_one_walk()
    {
        await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "2s"));
        await ListAsync(entrepot);
        for (var round = 0; round < 3; round++)
        {
            await SentinelTag.UntilDueAsync(fixture, _upstream, entrepot);
            _upstream.Log.Clear();
            var reads = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => ListAsync(entrepot)));
            Assert.All(reads, read => Assert.Equal((200, reads[0].Digest), (read.Status, read.Digest)));
            Assert.Single(_upstream.Log.All);
        }
    }

    [Fact]
    public async Task Within_stale_while_revalidate_the_answer_does_not_wait_for_the_check()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"), ("StaleWhileRevalidate", "1h"));
        await PullAsync(entrepot, tag);
        await fixture.Registry.PushAsync(Second, Repository, tag);
        _upstream.Latency = TimeSpan.FromSeconds(1.5);
        _upstream.Log.Clear();
        BlobRead? stale = null;
        await Eventually.Async(async () => (stale = await PullAsync(entrepot, tag)).XCache == "STALE", TimeSpan.FromSeconds(20), "the TTL to be over");
        Assert.Equal((200, First.Digest), (stale!.Status, stale.Digest));
        Assert.InRange(stale.Elapsed.TotalSeconds, 0, 1.5);
        Assert.False(stale.Headers.ContainsKey("Warning"));

        // All who ask meanwhile are answered at once, and share the one check.
        var reads = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => PullAsync(entrepot, tag)));
        Assert.All(reads, read => Assert.Equal(First.Digest, read.Digest));
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)) is { XCache: "HIT" } read && read.Digest == Second.Digest, TimeSpan.FromSeconds(10), "the check to be done");
        Assert.Single(_upstream.Log.Matching($"/manifests/{tag}", "HEAD"));
    }

    [Fact]
    public async Task A_tag_deleted_upstream_is_served_with_a_warning_until_its_greatest_age()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"), ("TagGoneMaxAge", "5s"));
        var before = TestClock.Now;
        await PullAsync(entrepot, tag);
        using (_ = new Healing(_upstream.Inject(Fault.Status(404), $"/manifests/{tag}")))
        {
            BlobRead? stale = null;
            await Eventually.Async(async () => (stale = await PullAsync(entrepot, tag)).XCache == "STALE", TimeSpan.FromSeconds(20), "the TTL to be over");
            Assert.Equal((200, First.Digest), (stale!.Status, stale.Digest));
            Assert.Equal("299 - \"stale: it is gone from its upstream\"", stale.Headers["Warning"]);

            await Eventually.Async(async () => (await PullAsync(entrepot, tag)).Status == 404, TimeSpan.FromSeconds(10), "the tag to be too old");
            Assert.InRange((TestClock.Now - before).TotalSeconds, 4.9, 10);
            Assert.Contains("MANIFEST_UNKNOWN", (await PullAsync(entrepot, tag)).ErrorText, StringComparison.Ordinal);
            // What it pointed to is held all the same.
            Assert.Equal(200, (await PullAsync(entrepot, First.Digest)).Status);
        }
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)) is { Status: 200, XCache: "HIT" }, TimeSpan.FromSeconds(25), "the tag to be found again");
    }

    [Fact]
    public async Task With_TagGone_NotFound_a_tag_deleted_upstream_is_404_but_an_outage_still_is_not()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"), ("TagGone", "NotFound"));
        await PullAsync(entrepot, tag);
        using (_ = new Healing(_upstream.Inject(Fault.Status(503), $"/manifests/{tag}")))
            await Eventually.Async(async () => (await PullAsync(entrepot, tag)) is { Status: 200, XCache: "STALE" }, TimeSpan.FromSeconds(20), "the outage to be met");
        _upstream.Inject(Fault.Status(404), $"/manifests/{tag}");
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)).Status == 404, TimeSpan.FromSeconds(40), "the tag to be gone");
        Assert.Equal(("HIT", 404), (await PullAsync(entrepot, tag)) is var read ? (read.XCache, read.Status) : default);
    }

    [Fact]
    public async Task An_upstream_that_hangs_lets_one_pull_wait_and_no_other_whatever_the_tag_or_list()
    {
        var tags = new List<string>();
        for (var i = 0; i < 6; i++) tags.Add(await PushedAsync(First, $"hang{i}-"));
        var entrepot = await StartAsync(("TagTtl", "1s"));
        foreach (var tag in tags) await PullAsync(entrepot, tag);
        Assert.Equal(200, (await ListAsync(entrepot)).Status);
        await SentinelTag.UntilDueAsync(fixture, _upstream, entrepot);
        var hang = _upstream.Inject(Fault.HangBeforeHeaders());

        var first = await PullAsync(entrepot, tags[0]);
        Assert.Equal((200, "STALE"), (first.Status, first.XCache));
        Assert.InRange(first.Elapsed.TotalSeconds, 1.5, 4);
        foreach (var tag in tags.Skip(1))
        {
            var read = await PullAsync(entrepot, tag);
            Assert.Equal((200, First.Digest, "STALE"), (read.Status, read.Digest, read.XCache));
            Assert.InRange(read.Elapsed.TotalSeconds, 0, 1.5);
            Assert.StartsWith("299 - \"stale: ", read.Headers["Warning"], StringComparison.Ordinal);
        }
        var list = await ListAsync(entrepot);
        Assert.Equal((200, "STALE"), (list.Status, list.XCache));
        Assert.InRange(list.Elapsed.TotalSeconds, 0, 1.5);

        Assert.Equal(1, (await entrepot.MetricsAsync()).Value("entrepot_upstream_silent"));

        // It is asked behind the answers, and trusted again when it answers.
        hang.Heal();
        foreach (var tag in tags)
            await Eventually.Async(async () =>
            {
                var read = await PullAsync(entrepot, tag);
                Assert.InRange(read.Elapsed.TotalSeconds, 0, 1.5);
                return read.XCache == "HIT";
            }, TimeSpan.FromSeconds(40), $"{tag} to be confirmed again");
        Assert.Equal(0, (await entrepot.MetricsAsync()).Value("entrepot_upstream_silent"));
    }

    [Fact]
    public async Task A_check_that_succeeds_ends_the_memory_of_the_one_that_failed()
    {
        var tag = await PushedAsync(First);
        var entrepot = await StartAsync(("TagTtl", "1s"));
        await PullAsync(entrepot, tag);
        using (_ = new Healing(_upstream.Inject(Fault.Status(500))))
            await Eventually.Async(async () => (await PullAsync(entrepot, tag)).XCache == "STALE", TimeSpan.FromSeconds(20), "a check to fail");
        await Eventually.Async(async () => (await PullAsync(entrepot, tag)).XCache == "HIT", TimeSpan.FromSeconds(30), "a check to succeed");

        // Due again, it is checked again, although the failure may be remembered still.
        for (var i = 0; i < 3; i++)
        {
            await SentinelTag.UntilDueAsync(fixture, _upstream, entrepot);
            Assert.Equal("HIT", (await PullAsync(entrepot, tag)).XCache);
        }
    }

    [Fact]
    public async Task A_missing_tag_is_asked_for_once_in_its_negative_TTL_and_X_Cache_tells()
    {
        var entrepot = await StartAsync(("NotFoundTtl", "3s"));
        _upstream.Latency = TimeSpan.FromMilliseconds(300);
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => PullAsync(entrepot, "missing")));
        Assert.All(together, read => Assert.Equal(404, read.Status));
        Assert.Equal(1, together.Count(read => read.XCache == "MISS"));
        Assert.All(together, read => Assert.Contains(read.XCache, new[] { "MISS", "COALESCED", "HIT" }));
        var asked = _upstream.Log.All.Count;
        Assert.Equal(("HIT", 404), (await PullAsync(entrepot, "missing")) is var again ? (again.XCache, again.Status) : default);
        Assert.Equal(asked, _upstream.Log.All.Count);
        var since = TestClock.Now;
        await Eventually.Async(async () => (await PullAsync(entrepot, "missing")).XCache == "MISS", TimeSpan.FromSeconds(20), "the upstream to be asked again");
        Assert.InRange((TestClock.Now - since).TotalSeconds, 1, 5);
    }

    [Fact]
    public async Task Signature_tags_appear_and_change_soon_whatever_the_TTL_of_tags()
    {
        var signature = $"{First.Digest.Replace(':', '-')}.sig";
        var entrepot = await StartAsync(("TagTtl", "1h"), ("ImmutableTags", new[] { ".*" }), ("SignatureTagTtl", "1s"), ("NotFoundTtl", "1m"));
        Assert.Equal(404, (await PullAsync(entrepot, signature)).Status);
        Assert.Equal("HIT", (await PullAsync(entrepot, signature)).XCache);
        await fixture.Registry.PushAsync(First, Repository, signature);
        await Eventually.Async(async () => (await PullAsync(entrepot, signature)).Digest == First.Digest, TimeSpan.FromSeconds(20), "the signature to appear");
        await fixture.Registry.PushAsync(Second, Repository, signature);
        await Eventually.Async(async () => (await PullAsync(entrepot, signature)).Digest == Second.Digest, TimeSpan.FromSeconds(20), "the second signature to appear");
    }

    private async Task<string> PushedAsync(Image image, string prefix = "t")
    {
        var tag = $"{prefix}{Guid.NewGuid():N}";
        await fixture.Registry.PushAsync(image, Repository, tag);
        return tag;
    }

    private async Task<EntrepotProcess> StartAsync(params (string, object?)[] options)
    {
        var entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings().Add("docker.io", _upstream.Url, options).Set("DefaultUpstream", "docker.io")
            .Set("Api", new Dictionary<string, object?> { ["FailedCheckLasts"] = "3s" }));
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
