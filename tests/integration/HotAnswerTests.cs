using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Telemetry;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What was answered from memory a moment ago is answered ahead of the web framework, and nobody can tell.</summary>
public sealed class HotAnswerTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const string AnyIndex = "Accept: " + MediaTypes.AcceptAll, NoIndex = "Accept: " + MediaTypes.OciManifest;
    private readonly List<EntrepotProcess> _started = [];
    private UpstreamFront _upstream = null!;

    private Content Config => fixture.Small.Config!;

    private string ConfigPath => $"/v2/library/small/blobs/{Config.Digest}";

    public async Task InitializeAsync() => _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);

    public async Task DisposeAsync()
    {
        foreach (var entrepot in _started) await entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task The_tenth_answer_is_word_for_word_the_ordinary_one()
    {
        var entrepot = await StartAsync();
        (string Path, string Host, string Accept)[] targets =
        [
            ("/v2/library/small/manifests/1", "x", AnyIndex), ($"/v2/library/small/manifests/{fixture.Small.Digest}", "x", AnyIndex), ("/v2/library/docker/manifests/1", "x", NoIndex),
            ("/v2/library/index/manifests/1", "x", AnyIndex), ($"/v2/library/index/manifests/{fixture.Index.Digest}", "x", NoIndex), (ConfigPath, "x", "Accept: */*"),
            ("/v2/library/small/manifests/1?ns=docker.io", "x", AnyIndex), ($"{ConfigPath}?ns=index.docker.io", "x", AnyIndex), ("/v2/small/manifests/1", "hub.test", AnyIndex), ($"/v2/small/blobs/{Config.Digest}", "hub.test:1234", AnyIndex),
            ("/v2/docker.io/library/small/manifests/1", "x", AnyIndex), ($"http://x{ConfigPath}", "x", AnyIndex),
        ];
        foreach (var target in targets)
            foreach (var method in new[] { "GET", "HEAD" })
            {
                await HeatAsync(entrepot, target.Path, target.Host, target.Accept);

                // A condition that does not hold takes the ordinary way, to the same answer.
                var ordinary = await SendAsync(entrepot, method, target.Path, target.Host, target.Accept, "If-None-Match: \"other\"");
                var hot = await SendAsync(entrepot, method, target.Path, target.Host, target.Accept);
                Assert.Equal((target.Path, 200, "HIT", false), (target.Path, hot.Status, hot.Header("X-Cache"), hot.EndedShort));
                Assert.Equal(Words(ordinary), Words(hot));
                Assert.Equal(Content.DigestOf(ordinary.Body), Content.DigestOf(hot.Body));
                Assert.Equal(ordinary.Header("Age") is null, hot.Header("Age") is null);
                Assert.NotNull(hot.Header("Date"));
                if (method == "GET") Assert.Equal(hot.Header("Docker-Content-Digest"), Content.DigestOf(hot.Body));
                else Assert.Empty(hot.Body);
            }
    }

    [Fact]
    public async Task It_is_answered_ahead_of_the_web_framework()
    {
        var entrepot = await StartAsync();
        foreach (var path in new[] { "/v2/library/small/manifests/1", $"/v2/library/small/manifests/{fixture.Small.Digest}", ConfigPath })
        {
            await HeatAsync(entrepot, path);
            var before = (await entrepot.MetricsAsync()).Value("http_server_request_duration_seconds_count");
            for (var i = 0; i < 20; i++) Assert.Equal(200, (await SendAsync(entrepot, "GET", path)).Status);

            // One of each process at most: the look at its metrics itself.
            Assert.InRange((await entrepot.MetricsAsync()).Value("http_server_request_duration_seconds_count") - before, 0, Shape.IsCluster ? 3 : 1);
        }
    }

    [Fact]
    public async Task On_one_connection_hot_and_ordinary_answers_take_turns()
    {
        var entrepot = await StartAsync();
        var layer = fixture.Little.Layers[0];
        await HeatAsync(entrepot, ConfigPath);
        await HeatAsync(entrepot, "/v2/library/little/manifests/1");
        Assert.Equal(200, (await SendAsync(entrepot, "GET", $"/v2/library/little/blobs/{layer.Digest}")).Status);
        string[] requests = [$"GET {ConfigPath}", $"HEAD {ConfigPath}", $"GET /v2/library/little/blobs/{layer.Digest}", $"GET {ConfigPath}", "GET /v2/", "HEAD /v2/library/little/manifests/1", "GET /v2/library/none/manifests/1", "GET /v2/library/little/manifests/1"];
        var all = Enumerable.Repeat(requests, 20).SelectMany(r => r).ToArray();
        var (answers, closed) = await RawHttp.SendManyAsync(entrepot.Port, Encoding.ASCII.GetBytes(string.Concat(all.Select(r => $"{r} HTTP/1.1\r\nHost: x\r\n\r\n"))), [.. all.Select(r => r.StartsWith("HEAD", StringComparison.Ordinal))]);
        Assert.False(closed);
        for (var i = 0; i < all.Length; i++)
        {
            var request = all[i];
            Assert.Equal((request, request.Contains("none", StringComparison.Ordinal) ? 404 : 200), (request, answers[i].Status));
            if (request.StartsWith("GET", StringComparison.Ordinal) && answers[i].Header("Docker-Content-Digest") is { } digest) Assert.Equal(digest, Content.DigestOf(answers[i].Body));
        }
    }

    [Fact]
    public async Task Whatever_is_special_about_a_request_for_a_hot_target_is_answered_as_ever()
    {
        var entrepot = await StartAsync();
        var bytes = await BytesAsync(Config);
        foreach (var (path, digest) in new[] { ("/v2/library/small/manifests/1", fixture.Small.Digest), ($"/v2/library/small/manifests/{fixture.Small.Digest}", fixture.Small.Digest), (ConfigPath, Config.Digest) })
        {
            await HeatAsync(entrepot, path);
            foreach (var method in new[] { "GET", "HEAD" })
                foreach (var condition in new[] { $"\"{digest}\"", "*", $"W/\"{digest}\", \"x\"" })
                {
                    var unchanged = await SendAsync(entrepot, method, path, "x", AnyIndex, "If-None-Match: " + condition);
                    Assert.Equal((304, $"\"{digest}\"", 0), (unchanged.Status, unchanged.Header("ETag"), unchanged.Body.Length));
                }
            foreach (var method in new[] { "POST", "PUT", "DELETE", "PATCH", "get", "head", "Get" })
            {
                var refused = await SendAsync(entrepot, method, path, "x", "Content-Length: 0");
                Assert.Equal((method, 405, "GET, HEAD"), (method, refused.Status, refused.Header("Allow")));
            }
            Assert.Equal(200, (await SendAsync(entrepot, "GET", path)).Status);
        }

        var part = await SendAsync(entrepot, "GET", ConfigPath, "x", "Range: bytes=2-9");
        Assert.Equal((206, $"bytes 2-9/{bytes.Length}"), (part.Status, part.Header("Content-Range")));
        Assert.Equal(bytes[2..10], part.Body);
        Assert.Equal(416, (await SendAsync(entrepot, "GET", ConfigPath, "x", $"Range: bytes={bytes.Length}-")).Status);
        Assert.Equal(200, (await SendAsync(entrepot, "GET", ConfigPath, "x", "Range: bytes=2-9", "If-Range: \"other\"")).Status);
        var close = await SendAsync(entrepot, "GET", ConfigPath);
        Assert.Equal("close", close.Header("Connection"));
    }

    [Fact]
    public async Task An_index_by_tag_is_200_and_404_in_turns_for_those_who_can_read_it_and_those_who_can_not()
    {
        var entrepot = await StartAsync();
        const string path = "/v2/library/index/manifests/1";
        await HeatAsync(entrepot, path);
        for (var i = 0; i < 10; i++)
        {
            var refused = await SendAsync(entrepot, "GET", path, "x", NoIndex);
            Assert.Equal((404, "HIT"), (refused.Status, refused.Header("X-Cache")));
            Assert.Contains("MANIFEST_UNKNOWN", Encoding.UTF8.GetString(refused.Body), StringComparison.Ordinal);
            foreach (var accept in new[] { AnyIndex, "Accept: */*", "Accept: application/vnd.oci.image.index.v1+json" })
            {
                var read = await SendAsync(entrepot, "GET", path, "x", accept);
                Assert.Equal((200, fixture.Index.Digest), (read.Status, read.Header("Docker-Content-Digest")));
            }
        }
    }

    [Fact]
    public async Task A_tag_that_was_hot_all_the_time_is_seen_to_move_when_its_TTL_is_over()
    {
        var (first, second) = (ImageMaker.Small("hot 1"), ImageMaker.Small("hot 2"));
        var tag = $"t{Guid.NewGuid():N}";
        await fixture.Registry.PushAsync(first, "library/hot", tag);
        var entrepot = await StartAsync(upstreamOptions: ("TagTtl", "2s"));
        var path = $"/v2/library/hot/manifests/{tag}";
        await HeatAsync(entrepot, path);
        await fixture.Registry.PushAsync(second, "library/hot", tag);
        var moved = TestClock.Now;
        var hot = 0;
        await Eventually.Async(async () =>
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(entrepot, "GET", path)));
            foreach (var answer in answers)
            {
                Assert.Equal(200, answer.Status);
                Assert.InRange(int.Parse(answer.Header("Age")!, CultureInfo.InvariantCulture), 0, 2);
                Assert.Equal(answer.Header("Docker-Content-Digest"), Content.DigestOf(answer.Body));
            }
            hot += answers.Count(a => a.Header("X-Cache") == "HIT");
            return answers.All(a => a.Header("Docker-Content-Digest") == second.Digest);
        }, TimeSpan.FromSeconds(8), "the moved tag to be seen");
        Assert.InRange((TestClock.Now - moved).TotalSeconds, 0, 4);
        Assert.True(hot > 20, "the tag was not hot");

        // The digest it pointed to is held, and hot, as ever.
        await HeatAsync(entrepot, $"/v2/library/hot/manifests/{first.Digest}");
        Assert.Equal(first.Digest, (await SendAsync(entrepot, "GET", $"/v2/library/hot/manifests/{first.Digest}")).Header("Docker-Content-Digest"));
    }

    [Fact]
    public async Task A_small_blob_that_was_evicted_is_not_answered_hot_once_its_entry_is_due()
    {
        var entrepot = await StartAsync(settings => settings
            .Set("Janitor", new Dictionary<string, object?> { ["MaxStoreBytes"] = "1", ["SweepInterval"] = "500ms", ["SpareUsedWithin"] = "6s" })
            .Set("Api", new Dictionary<string, object?> { ["IndexEntryLasts"] = "1s" }));
        await HeatAsync(entrepot, ConfigPath);
        Assert.Single(_upstream.Log.Matching(Config.Digest, "GET"));
        await Eventually.Async(async () => (await entrepot.StoredBlobsAsync()).Count == 0, TimeSpan.FromSeconds(30), "the blob to be evicted");
        await Eventually.Async(async () =>
        {
            var answer = await SendAsync(entrepot, "GET", ConfigPath);
            Assert.Equal((200, Config.Digest), (answer.Status, Content.DigestOf(answer.Body)));
            return _upstream.Log.Matching(Config.Digest, "GET").Count == 2;
        }, TimeSpan.FromSeconds(10), "the evicted blob to be fetched again");
    }

    [Fact]
    public async Task Every_hot_hit_reaches_the_table_of_accesses_and_moves_the_last_one()
    {
        var entrepot = await StartAsync();
        var manifest = $"/v2/library/small/manifests/{fixture.Small.Digest}";
        for (var i = 0; i < 10; i++)
            foreach (var path in new[] { manifest, ConfigPath }) Assert.Equal(200, (await SendAsync(entrepot, "GET", path)).Status);
        await using var tables = new Tables(entrepot);

        // A manifest's access counts for the config and the layer too. Once a later pull of another image is counted, so is all that came before it.
        await Eventually.Async(async () =>
        {
            Assert.Equal(200, (await SendAsync(entrepot, "GET", $"/v2/library/docker/manifests/{fixture.DockerSmall.Digest}")).Status);
            return await tables.AccessOrNullAsync(fixture.DockerSmall.Digest) is { Count: > 0 };
        }, TimeSpan.FromSeconds(20), "the first accesses to be written down");
        var before = (await tables.AccessOrNullAsync(Config.Digest))!.Value.Count;
        var manifestsBefore = (await tables.AccessOrNullAsync(fixture.Small.Digest))!.Value.Count;
        var (_, first) = (await tables.AccessOrNullAsync(Config.Digest))!.Value;
        await Parallel.ForAsync(0, 500, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (_, _) =>
        {
            Assert.Equal(200, (await SendAsync(entrepot, "GET", ConfigPath)).Status);
            Assert.Equal(200, (await SendAsync(entrepot, "HEAD", manifest)).Status);
        });
        await CountedAsync(before + 1000);
        Assert.Equal(manifestsBefore + 500, (await tables.AccessOrNullAsync(fixture.Small.Digest))!.Value.Count);
        var (_, last) = (await tables.AccessOrNullAsync(Config.Digest))!.Value;
        Assert.True(last > first, "the last access has not moved");

        Task CountedAsync(long expected) => Eventually.Async(
            async () => (await tables.AccessOrNullAsync(Config.Digest))?.Count == expected, TimeSpan.FromSeconds(15), $"{expected} accesses of the config to be written down");
    }

    [Fact]
    public async Task Hot_hits_are_counted_to_the_last_pull_and_byte()
    {
        var entrepot = await StartAsync();
        var manifest = $"/v2/library/small/manifests/{fixture.Small.Digest}";
        await HeatAsync(entrepot, ConfigPath);
        await HeatAsync(entrepot, manifest);
        var before = await ReadAsync();
        await Parallel.ForAsync(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            await SendAsync(entrepot, "GET", ConfigPath);
            await SendAsync(entrepot, i % 2 == 0 ? "HEAD" : "GET", manifest);
        });
        var after = await ReadAsync();
        Assert.Equal((400, 400 * (double)Config.Size), (after.BlobPulls - before.BlobPulls, after.BlobBytes - before.BlobBytes));
        Assert.Equal((400, 200 * (double)fixture.Small.Manifest.Size), (after.ManifestPulls - before.ManifestPulls, after.ManifestBytes - before.ManifestBytes));

        async Task<(double BlobPulls, double BlobBytes, double ManifestPulls, double ManifestBytes)> ReadAsync()
        {
            var metrics = await entrepot.MetricsAsync();
            (string, string) cache = ("cache", "HIT"), upstream = ("upstream", EntrepotSettings.DefaultUpstream);
            return (metrics.Value("entrepot_pulls_total", ("kind", "blob"), cache, upstream), metrics.Value("entrepot_served_bytes_total", ("kind", "blob"), cache, upstream),
                metrics.Value("entrepot_pulls_total", ("kind", "manifest"), cache, upstream), metrics.Value("entrepot_served_bytes_total", ("kind", "manifest"), cache, upstream));
        }
    }

    [Theory]
    [InlineData("Debug", 20)]
    [InlineData("Information", 0)]
    public async Task Every_hit_is_logged_at_Debug_and_none_at_Information(string level, int lines)
    {
        var entrepot = await StartAsync(settings => settings.Set("Log", new Dictionary<string, object?> { ["Level"] = level }));
        await HeatAsync(entrepot, ConfigPath);
        var before = await LinesAsync("before");
        for (var i = 0; i < 20; i++) Assert.Equal("HIT", (await SendAsync(entrepot, "GET", ConfigPath)).Header("X-Cache"));
        Assert.Equal(lines, await LinesAsync("after") - before);

        async Task<int> LinesAsync(string mark)
        {
            // Lines are written behind the answers; those before this one are there when it is.
            await SendAsync(entrepot, "GET", $"/v2/library/none/manifests/{mark}");
            await Eventually.Async(() => entrepot.LogText.Contains($"manifests/{mark}", StringComparison.Ordinal), TimeSpan.FromSeconds(10), $"the line of {mark}");
            return Lines();
        }

        int Lines() => entrepot.LogText.Split('\n').Count(line => line.Contains(ConfigPath, StringComparison.Ordinal) && line.Contains(" HIT ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(1, 30)]
    [InlineData(0, 0)]
    public async Task Of_hot_hits_as_many_are_traced_as_HitSampling_says(int sampling, int spans)
    {
        await using var seq = await OtlpReceiver.StartNewAsync();
        var entrepot = await StartAsync(settings => settings.Set("Telemetry", new Dictionary<string, object?> { ["OtlpEndpoint"] = seq.Url, ["HitSampling"] = sampling }));
        await SendAsync(entrepot, "GET", ConfigPath);
        await Eventually.Async(async () => (await SendAsync(entrepot, "GET", ConfigPath)).Header("X-Cache") == "HIT", TimeSpan.FromSeconds(10), "the blob to be a hit");
        for (var i = 0; i < 30; i++) Assert.Equal("HIT", (await SendAsync(entrepot, "GET", ConfigPath)).Header("X-Cache"));
        var mine = RandomNumberGenerator.GetHexString(32, lowercase: true);
        Assert.Equal("HIT", (await SendAsync(entrepot, "GET", ConfigPath, "x", $"traceparent: 00-{mine}-{mine[..16]}-01")).Header("X-Cache"));

        await EndAsync(entrepot, seq);
        Assert.InRange(seq.Spans.Count(s => s.Attributes.GetValueOrDefault("entrepot.cache") == "HIT"), spans, spans == 0 ? 0 : spans + 5);
        Assert.Equal(spans > 0, seq.SpansOf(mine).Count > 0);
    }

    [Fact]
    public async Task A_hot_target_that_belongs_to_somebodys_trace_is_as_much_a_part_of_it_as_the_sampler_says()
    {
        await using var seq = await OtlpReceiver.StartNewAsync();
        var entrepot = await StartAsync(settings => settings.Set("Telemetry", new Dictionary<string, object?> { ["OtlpEndpoint"] = seq.Url, ["HitSampling"] = 1000 }));
        await HeatAsync(entrepot, ConfigPath);

        // By its trace id: of these two every replica chooses the first and not the other.
        var (chosen, passed) = (Trace(1000), Trace(1001));
        foreach (var trace in new[] { chosen, passed })
            Assert.Equal("HIT", (await SendAsync(entrepot, "GET", ConfigPath, "x", $"traceparent: 00-{trace}-{trace[..16]}-01")).Header("X-Cache"));
        await EndAsync(entrepot, seq);
        Assert.NotEmpty(seq.SpansOf(chosen));
        Assert.Empty(seq.SpansOf(passed));

        static string Trace(ulong low) => RandomNumberGenerator.GetHexString(16, lowercase: true) + low.ToString("x16", CultureInfo.InvariantCulture);
    }

    /// <summary>A miss behind them all is traced in any case: when it has come, so have they.</summary>
    private static async Task EndAsync(EntrepotProcess entrepot, OtlpReceiver seq)
    {
        await SendAsync(entrepot, "GET", "/v2/library/none/manifests/last");
        await Eventually.Async(() => seq.Spans.Any(s => s.Name == "pull Manifest" && s.Attributes["entrepot.reference"] == "last"), TimeSpan.FromSeconds(30), "the last trace");
        await entrepot.StopAsync();
    }

    /// <summary>Everything of an answer but its body, and but what tells the time.</summary>
    private static string Words(RawResponse answer) =>
        string.Join('\n', answer.Headers.Where(h => h.Key is not ("Date" or "Age")).Select(h => $"{h.Key}: {h.Value}").Order(StringComparer.Ordinal).Prepend(answer.StatusLine));

    private static async Task<byte[]> BytesAsync(Content content)
    {
        using var all = new MemoryStream();
        await using var stream = content.Open();
        await stream.CopyToAsync(all);
        return all.ToArray();
    }

    /// <summary>Asks ten times, the last ones answered hot.</summary>
    private static async Task HeatAsync(EntrepotProcess entrepot, string path, string host = "x", string accept = AnyIndex)
    {
        await Eventually.Async(async () => (await SendAsync(entrepot, "HEAD", path, host, accept)).Header("X-Cache") == "HIT" || (await SendAsync(entrepot, "GET", path, host, accept)).Header("X-Cache") == "HIT",
            TimeSpan.FromSeconds(10), $"{path} to be a hit");
        for (var i = 0; i < 5; i++)
        {
            var answer = await SendAsync(entrepot, "GET", path, host, accept);
            Assert.Equal((path, 200), (path, answer.Status));
        }
    }

    private static Task<RawResponse> SendAsync(EntrepotProcess entrepot, string method, string path, string host = "x", params string[] headers) =>
        RawHttp.SendAsync(entrepot.Port, [$"{method} {path} HTTP/1.1", $"Host: {host}", "Connection: close", .. headers.Length == 0 ? [AnyIndex] : headers]);

    private async Task<EntrepotProcess> StartAsync(Action<EntrepotSettings>? more = null, params (string, object?)[] upstreamOptions)
    {
        var settings = EntrepotSettings.WithUpstream(_upstream.Url).Add(EntrepotSettings.DefaultUpstream, _upstream.Url, upstreamOptions).Add("docker.io", _upstream.Url, ("Hosts", new[] { "hub.test" }));
        more?.Invoke(settings);
        var entrepot = await EntrepotProcess.StartNewAsync(settings);
        _started.Add(entrepot);
        return entrepot;
    }
}
