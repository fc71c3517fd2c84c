using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests;

/// <summary>What is promised in milliseconds and mebibytes of a process that has next to nothing to do.</summary>
[Collection(RegistryCollection.Name)]
public sealed class PromptnessTests(RegistryFixture fixture, ITestOutputHelper output)
{
    private const long MiB = 1L << 20;

    [StandaloneFact("a cluster starts as many processes as it is told to")]
    public async Task It_listens_soon_and_idles_small()
    {
        await using var entrepot = await EntrepotProcess.StartNewAsync(new EntrepotSettings());
        var starts = new List<TimeSpan> { entrepot.StartedWithin };
        for (var i = 0; i < 2; i++)
        {
            await entrepot.RestartAsync();
            starts.Add(entrepot.StartedWithin);
        }
        output.WriteLine($"start to answer: {string.Join(", ", starts.Select(s => $"{s.TotalMilliseconds:0} ms"))} (first one makes the database); idle RSS {entrepot.RssBytes / MiB} MiB");
        Assert.InRange(starts.Min().TotalSeconds, 0, 1.5);
        Assert.InRange(entrepot.RssBytes, 0, 150 * MiB);
    }

    [Fact]
    public async Task An_upstream_that_never_answers_costs_a_held_tag_one_short_wait_and_then_none_for_15_seconds()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(OutageTests.Due(upstream));
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1")).Status);
        await SentinelTag.UntilDueAsync(fixture, upstream, entrepot);
        upstream.Inject(Fault.HangBeforeHeaders());

        var first = await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1");
        Assert.Equal((200, "STALE", fixture.Small.Digest), (first.Status, first.XCache, first.Digest));
        Assert.InRange(first.Elapsed.TotalSeconds, 0, 2.5);
        Assert.StartsWith("299", first.Headers["Warning"], StringComparison.Ordinal);
        Assert.True(first.Headers.ContainsKey("Age"));

        var until = TestClock.Now + TimeSpan.FromSeconds(12);
        var times = new List<double>();
        while (TestClock.Now < until)
        {
            var read = await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1");
            Assert.Equal((200, "STALE"), (read.Status, read.XCache));
            times.Add((read.HeadersAt - read.StartedAt).TotalMilliseconds);
            await Task.Delay(50); // Between two looks.
        }
        var sorted = times.Order().ToArray();
        output.WriteLine($"{sorted.Length} stale answers: median {sorted[sorted.Length / 2]:0.0} ms, 99 % {sorted[sorted.Length * 99 / 100]:0.0} ms, slowest {sorted[^1]:0.0} ms; beyond 10 ms: {sorted.Count(t => t > 10)}");
        // The measuring process shares its cores with the measured one, so the median must hold the bound; waiting for the upstream would take 2 s.
        Assert.InRange(times.Order().ElementAt(times.Count / 2), 0, 10);
        Assert.InRange(times.Max(), 0, 1900);
    }
}
