using System.Diagnostics;
using System.Globalization;
using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Fuzz;

/// <summary>
/// Requests that nobody would send: whatever comes in, no answer is a 5xx (but 505, which is about the version the client named), nothing crashes or hangs, nothing grows. A short run by default;
/// <c>ENTREPOT_FUZZ_SECONDS=600 ./test.sh integration Fuzz</c> is ten minutes of each, <c>ENTREPOT_FUZZ_SEED</c> repeats the random bytes of an earlier one.
/// </summary>
public sealed class FuzzTests(RegistryFixture fixture, ITestOutputHelper output) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const long MostGrowthBytes = 48 << 20;
    private const int Rounds = 3;
    private static readonly TimeSpan Round = TimeSpan.FromSeconds(Number("ENTREPOT_FUZZ_SECONDS", 15)) / Rounds;
    private UpstreamFront _upstream = null!;
    private EntrepotProcess _entrepot = null!;
    private KnownContent _known = null!;

    public async Task InitializeAsync()
    {
        _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        _entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(_upstream.Url).Set("Log", new Dictionary<string, object?> { ["Level"] = "Warning" }));
        _known = new KnownContent(
            ["library/small", "docker.io/library/small", "lab.test/library/index", "library/little", "library/none"],
            ["1", fixture.Small.Digest, fixture.Index.Digest],
            [.. fixture.Small.Blobs.Select(blob => blob.Digest), fixture.Little.Layers[0].Digest]);
        foreach (var name in new[] { "library/small", "library/index" }) Assert.Equal(200, (await BlobReader.ReadManifestAsync(_entrepot.Url, name, "1")).Status);
        foreach (var blob in fixture.Small.Blobs) Assert.Equal(200, (await BlobReader.ReadBlobAsync(_entrepot.Url, "library/small", blob.Digest)).Status);
    }

    public async Task DisposeAsync()
    {
        await _entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task Generated_requests_get_an_answer_that_is_no_5xx()
    {
        var statuses = new SortedDictionary<int, int>();
        var requests = RequestGenerator.Of(_known).ToArbitrary();
        await GrowsLittleAsync(() =>
        {
            var until = Stopwatch.StartNew();
            while (until.Elapsed < Round)
            {
                // Repeat a failure by its own seed, which FsCheck prints: Config…WithReplay.
                Check.One(Config.QuickThrowOnFailure.WithMaxTest(100).WithStartSize(2).WithEndSize(20), Prop.ForAll(requests, request =>
                {
                    var answer = FuzzSocket.ExchangeAsync(_entrepot.Port, request.ToBytes(), halfClose: false).GetAwaiter().GetResult();
                    var status = FuzzSocket.StatusOf(answer);
                    statuses[status] = statuses.GetValueOrDefault(status) + 1;
                    return (status is (>= 200 and < 500) or 505).Label($"answered {status}: {FuzzSocket.Shown(answer)}\n to: {request}");
                }));
            }
            return Task.CompletedTask;
        });
        output.WriteLine($"{statuses.Values.Sum()} requests; by status: {string.Join(", ", statuses.Select(s => $"{s.Key}: {s.Value}"))}");
        // The requests reach what they are meant to: hits, ranges, and every kind of refusal.
        foreach (var status in new[] { 200, 206, 400, 404, 405, 416 }) Assert.True(statuses.ContainsKey(status), $"no request was answered {status}");
    }

    [Fact]
    public async Task Ranges_on_a_stored_blob_are_answered_as_the_parser_says_and_never_with_a_5xx()
    {
        var layer = fixture.Small.Blobs[^1];
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(400), Prop.ForAll(RequestGenerator.Range.ToArbitrary(), range =>
        {
            var request = new RawRequest("GET", $"/v2/library/small/blobs/{layer.Digest}", "HTTP/1.1", ["Host: x", $"Range: {range}", "Connection: close"], "");
            var answer = FuzzSocket.ExchangeAsync(_entrepot.Port, request.ToBytes(), halfClose: false).GetAwaiter().GetResult();
            var head = Encoding.Latin1.GetString(answer).Split("\r\n\r\n")[0];
            var announced = head.Split("\r\n").Single(line => line.StartsWith("Content-Length: ", StringComparison.Ordinal))["Content-Length: ".Length..];
            var body = answer.Length - Encoding.Latin1.GetByteCount(head) - 4;
            return (FuzzSocket.StatusOf(answer) is 200 or 206 or 416 && announced == body.ToString(CultureInfo.InvariantCulture)).Label($"Range: {range}\n{head}\n{body} bytes");
        }));
        await StillWellAsync();
    }

    [Fact]
    public async Task Random_bytes_are_refused_or_dropped_and_leave_nothing_behind()
    {
        var seed = Number("ENTREPOT_FUZZ_SEED", Random.Shared.Next());
        output.WriteLine($"ENTREPOT_FUZZ_SEED={seed}");
        var sent = 0;
        await GrowsLittleAsync(async () =>
        {
            var until = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, 8).Select(async worker =>
            {
                var random = new Random(seed + worker);
                while (until.Elapsed < Round)
                {
                    var bytes = RandomBytes.Next(random, _known);
                    var answer = await FuzzSocket.ExchangeAsync(_entrepot.Port, bytes, halfClose: true);
                    Assert.True(FuzzSocket.StatusOf(answer) is < 500 or 505, $"{FuzzSocket.Shown(answer)}\n to: {FuzzSocket.Shown(bytes)}");
                    Interlocked.Increment(ref sent);
                }
            }));
        });
        output.WriteLine($"{sent} exchanges");
        Assert.InRange(sent, Round.TotalSeconds * Rounds * 5, double.MaxValue);
    }

    /// <summary>Runs it in three rounds: in the first two the process grows to its working size, in the third it may not.</summary>
    private async Task GrowsLittleAsync(Func<Task> run)
    {
        for (var round = 1; round < Rounds; round++) await run();
        var (memory, files) = (_entrepot.RssBytes, OpenFiles());
        await run();
        output.WriteLine($"resident: {memory >> 20} MiB, then {_entrepot.RssBytes >> 20} MiB; open files: {files}, then {OpenFiles()}");
        await StillWellAsync();
        Assert.InRange(_entrepot.RssBytes, 0, memory + MostGrowthBytes);
        await Eventually.Async(() => OpenFiles() <= files + 20, TimeSpan.FromSeconds(20), "connections and files to be closed");
    }

    private async Task StillWellAsync()
    {
        Assert.False(_entrepot.HasExited);
        Assert.DoesNotContain(" broke", _entrepot.LogText, StringComparison.Ordinal);
        Assert.DoesNotContain("Unhandled", _entrepot.LogText, StringComparison.OrdinalIgnoreCase);
        var read = await BlobReader.ReadManifestAsync(_entrepot.Url, "library/small", fixture.Small.Digest);
        Assert.Equal((200, fixture.Small.Digest, "HIT"), (read.Status, read.Digest, read.XCache));
        Assert.InRange(read.Elapsed.TotalSeconds, 0, 2);
    }

    private int OpenFiles() => Directory.GetFiles($"/proc/{_entrepot.Id}/fd").Length;

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
