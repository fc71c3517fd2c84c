using System.Runtime.CompilerServices;
using Entrepot.Api;
using Entrepot.Api.Access;
using Entrepot.Api.Index;
using Entrepot.Api.Pull;
using Entrepot.Api.Responses;
using Entrepot.Hosting;
using Entrepot.Oci;
using Entrepot.UnitTests.Hosting;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Entrepot.UnitTests.Api;

public sealed class HotAnswersTests : IDisposable
{
    private const string Index = "application/vnd.oci.image.index.v1+json", Manifest = "application/vnd.oci.image.manifest.v1+json";
    private static readonly Upstream Lab = new("lab.test", new UpstreamOptions { Url = new Uri("http://127.0.0.1:9") });

    private readonly ManualTime _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ApiMetrics _metrics;
    private readonly Outbox _outbox;
    private readonly AccessRecorder _access;

    public HotAnswersTests()
    {
        var meters = _services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>();
        _metrics = new ApiMetrics(meters);
        _outbox = new Outbox(meters);
        _access = new AccessRecorder(_outbox, _time);
    }

    public void Dispose()
    {
        _access.Dispose();
        _services.Dispose();
    }

    [Fact]
    public async Task A_manifest_is_answered_again_as_long_as_its_entry_is_the_indexs()
    {
        var (hot, index, entry) = (NewHot(), new BoundedCache<string, ManifestEntry>(1 << 20), NewManifest(100));
        index.Set("m", entry);
        hot.Remember(Pull("/v2/a/manifests/m"), entry, tag: null);
        Assert.Equal((200, entry.Bytes.ToArray()), await AskAsync(hot, "/v2/a/manifests/m"));
        Assert.Null(await AskAsync(hot, "/v2/b/manifests/m"));
        Assert.Null(await AskAsync(hot, "/v2/a/manifests/m", host: "other"));

        index.Remove("m");
        Assert.Null(await AskAsync(hot, "/v2/a/manifests/m"));
    }

    [Fact]
    public async Task An_entry_that_was_forgotten_meanwhile_is_not_taken_up()
    {
        var (hot, index, entry) = (NewHot(), new BoundedCache<string, ManifestEntry>(1 << 20), NewManifest(100));
        index.Set("m", entry);
        index.Remove("m");
        hot.Remember(Pull("/v2/a/manifests/m"), entry, tag: null);
        Assert.Null(await AskAsync(hot, "/v2/a/manifests/m"));
    }

    [Theory]
    [InlineData("GET", "", "", 200)]
    [InlineData("HEAD", "", "", 200)]
    [InlineData("get", "", "", null)]
    [InlineData("head", "", "", null)]
    [InlineData("POST", "", "", null)]
    [InlineData("PUT", "", "", null)]
    [InlineData("DELETE", "", "", null)]
    [InlineData("OPTIONS", "", "", null)]
    [InlineData("GET", "If-None-Match", "\"x\"", null)]
    [InlineData("GET", "If-None-Match", "", null)]
    [InlineData("GET", "Range", "bytes=0-1", null)]
    [InlineData("HEAD", "Range", "bytes=0-1", null)]
    [InlineData("GET", "Range", "", null)]
    public async Task Whatever_is_special_about_a_request_for_a_blob_takes_the_ordinary_way(string method, string header, string value, int? status)
    {
        var (hot, index) = (NewHot(), new BoundedCache<string, BlobEntry>(1 << 20));
        var bytes = "hello"u8.ToArray();
        var entry = new BlobEntry { LoadedAt = _time.GetTimestamp(), Digest = Digest.Sha256Of(bytes), Fence = 1, Size = bytes.Length, Bytes = bytes };
        index.Set("b", entry);
        hot.Remember(Pull("/v2/a/blobs/b"), entry);
        var answer = await AskAsync(hot, "/v2/a/blobs/b", method, headers: header.Length > 0 ? [(header, value)] : []);
        Assert.Equal(status, answer?.Status);
        if (answer is not null) Assert.Equal(method == "GET" ? bytes : [], answer.Value.Body);
    }

    [Fact]
    public async Task An_index_by_tag_is_for_those_who_can_read_it_and_by_digest_for_all()
    {
        var (hot, manifests, tags) = (NewHot(), new BoundedCache<string, ManifestEntry>(1 << 20), new BoundedCache<string, TagEntry>(1 << 20));
        var entry = NewManifest(100, Index);
        var tag = NewTag(entry, TimeSpan.FromMinutes(1));
        manifests.Set("m", entry);
        tags.Set("t", tag);
        hot.Remember(Pull("/v2/a/manifests/t"), entry, tag);
        hot.Remember(Pull("/v2/a/manifests/d"), entry, tag: null);

        // In turns: what one kind of client was told is not another's.
        for (var i = 0; i < 3; i++)
        {
            Assert.NotNull(await AskAsync(hot, "/v2/a/manifests/t", headers: [("Accept", Index)]));
            Assert.Null(await AskAsync(hot, "/v2/a/manifests/t", headers: [("Accept", Manifest)]));
            Assert.NotNull(await AskAsync(hot, "/v2/a/manifests/d", headers: [("Accept", Manifest)]));

            // Longer than what is remembered.
            var padding = string.Concat(Enumerable.Repeat("application/x-nothing, ", 100));
            Assert.NotNull(await AskAsync(hot, "/v2/a/manifests/t", headers: [("Accept", padding + Index)]));
            Assert.Null(await AskAsync(hot, "/v2/a/manifests/t", headers: [("Accept", padding + Manifest)]));
        }
    }

    [Fact]
    public async Task A_tag_is_answered_until_its_TTL_is_over_and_an_immutable_one_until_its_entry_is_due()
    {
        var (hot, manifests, tags) = (NewHot(), new BoundedCache<string, ManifestEntry>(1 << 20), new BoundedCache<string, TagEntry>(1 << 20));
        var entry = NewManifest(100);
        var (moving, still) = (NewTag(entry, TimeSpan.FromSeconds(10)), NewTag(entry, TimeSpan.Zero, isImmutable: true));
        manifests.Set("m", entry);
        tags.Set("moving", moving);
        tags.Set("still", still);
        hot.Remember(Pull("/v2/a/manifests/moving"), entry, moving);
        hot.Remember(Pull("/v2/a/manifests/still"), entry, still);
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.NotNull(await AskAsync(hot, "/v2/a/manifests/moving"));
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Null(await AskAsync(hot, "/v2/a/manifests/moving"));
        Assert.NotNull(await AskAsync(hot, "/v2/a/manifests/still"));

        // The ordinary way sees to it that the entry is read again.
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.Null(await AskAsync(hot, "/v2/a/manifests/still"));
    }

    [Fact]
    public async Task A_tag_whose_entry_was_replaced_is_not_answered_and_its_new_one_is()
    {
        var (hot, manifests, tags) = (NewHot(), new BoundedCache<string, ManifestEntry>(1 << 20), new BoundedCache<string, TagEntry>(1 << 20));
        var (old, now) = (NewManifest(100), NewManifest(200));
        manifests.Set("old", old);
        manifests.Set("now", now);
        var (first, second) = (NewTag(old, TimeSpan.FromMinutes(1)), NewTag(now, TimeSpan.FromMinutes(1)));
        tags.Set("t", first);
        hot.Remember(Pull("/v2/a/manifests/t"), old, first);
        tags.Set("t", second);
        Assert.Null(await AskAsync(hot, "/v2/a/manifests/t"));
        hot.Remember(Pull("/v2/a/manifests/t"), now, second);
        Assert.Equal((200, now.Bytes.ToArray()), await AskAsync(hot, "/v2/a/manifests/t"));
    }

    [Fact]
    public async Task A_target_of_more_than_512_characters_is_not_kept()
    {
        var (hot, index, entry) = (NewHot(), new BoundedCache<string, ManifestEntry>(1 << 20), NewManifest(100));
        index.Set("m", entry);
        foreach (var (length, kept) in new[] { (512 - "host".Length, true), (513 - "host".Length, false) })
        {
            var target = "/v2/a/manifests/m?".PadRight(length, 'x');
            hot.Remember(Pull(target), entry, tag: null);
            Assert.Equal(kept, await AskAsync(hot, target) is not null);
        }
    }

    [Fact]
    public void What_the_index_let_go_of_is_not_kept_in_memory_by_hot_answers()
    {
        const int size = 100_000, many = 150;
        var options = new ApiOptions { IndexBytes = 4 << 20 };
        var hot = NewHot(options);
        var bytes = PullMany(hot, options, size, many);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.InRange(bytes.Count(b => b.IsAlive) * (long)size, 0, options.IndexBytes);
        GC.KeepAlive(hot);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private List<WeakReference> PullMany(HotAnswers hot, ApiOptions options, int size, int many)
    {
        // Bounded as the manifests of the content index are.
        var index = new BoundedCache<int, ManifestEntry>(options.IndexBytes / 2);
        var bytes = new List<WeakReference>();
        for (var i = 0; i < many; i++)
        {
            var array = new byte[size];
            array[0] = (byte)i;
            var entry = new ManifestEntry { LoadedAt = _time.GetTimestamp(), Digest = Digest.Sha256Of(array), MediaType = Manifest, Bytes = array };
            index.Set(i, entry);
            hot.Remember(Pull($"/v2/a/manifests/{i}"), entry, tag: null);
            bytes.Add(new WeakReference(array));
        }
        return bytes;
    }

    private HotAnswers NewHot(ApiOptions? options = null) =>
        new(options ?? new ApiOptions(), new PlatformOptions(), _access, _metrics, _time, NullLogger<HotAnswers>.Instance);

    private ManifestEntry NewManifest(int size, string mediaType = Manifest)
    {
        var bytes = new byte[size];
        Random.Shared.NextBytes(bytes);
        return new ManifestEntry { LoadedAt = _time.GetTimestamp(), Digest = Digest.Sha256Of(bytes), MediaType = mediaType, Bytes = bytes };
    }

    private TagEntry NewTag(ManifestEntry manifest, TimeSpan ttl, bool isImmutable = false) => new()
    {
        LoadedAt = _time.GetTimestamp(), CheckedAt = _time.GetTimestamp(), Digest = manifest.Digest, Policy = new TagPolicy(ttl, TimeSpan.FromSeconds(1), isImmutable),
    };

    private PullRequest Pull(string target, string host = "host") => new(Request("GET", target, host, []), Lab, "a") { Namespace = "", StartedAt = _time.GetTimestamp() };

    private static DefaultHttpContext Request(string method, string target, string host, (string Name, string Value)[] headers)
    {
        var http = new DefaultHttpContext();
        http.Features.Get<IHttpRequestFeature>()!.RawTarget = target;
        http.Request.Method = method;
        http.Request.Headers.Host = host;
        foreach (var (name, value) in headers) http.Request.Headers[name] = value;
        http.Response.Body = new MemoryStream();
        return http;
    }

    /// <summary>What is answered hot, or null where the ordinary way is left to answer.</summary>
    private static async Task<(int Status, byte[] Body)?> AskAsync(HotAnswers hot, string target, string method = "GET", string host = "host", params (string, string)[] headers)
    {
        var http = Request(method, target, host, headers);
        if (hot.AnswerOrNull(http.Features) is not { } answering)
        {
            Assert.Empty(http.Response.Headers);
            return null;
        }
        await answering;
        await http.Response.BodyWriter.FlushAsync();
        return (http.Response.StatusCode, ((MemoryStream)http.Response.Body).ToArray());
    }
}
