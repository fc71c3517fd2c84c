using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What an upstream can do wrong with a cold blob: nothing bad completes, nothing bad is stored, and the next pull works once it is well.</summary>
public sealed class UpstreamFaultTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    /// <summary>Fault, then the status a client may see, and the OCI code of an error. With 200 the answer may have begun when the lie comes out, and must end short.</summary>
    public static TheoryData<string, int, string> SpoiltFaults => new()
    {
        { "last byte flipped", 200, "DIGEST_INVALID" },
        { "one byte too many", 502, "DIGEST_INVALID" },
        { "one byte too few", 502, "DIGEST_INVALID" },
        { "html with 200", 502, "DIGEST_INVALID" },
        { "wrong Docker-Content-Digest", 502, "DIGEST_INVALID" },
        { "404", 404, "BLOB_UNKNOWN" },
        { "401", 403, "DENIED" },
        { "403", 403, "DENIED" },
        { "429", 429, "TOOMANYREQUESTS" },
        { "500", 503, "UNAVAILABLE" },
        { "drop", 503, "UNAVAILABLE" },
        { "hang before headers", 503, "UNAVAILABLE" },
    };

    [Theory]
    [MemberData(nameof(SpoiltFaults))]
    public async Task A_spoilt_blob_never_completes_is_never_stored_and_is_pulled_again_when_the_upstream_is_well(string fault, int status, string code)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(
            EntrepotSettings.WithUpstream(upstream.Url).Add(EntrepotSettings.DefaultUpstream, upstream.Url, ("NotFoundTtl", "2s")));
        var blobs = new[] { (Repository: "library/little", Layer: fixture.Little.Layers[0]), (Repository: "library/medium", Layer: fixture.Medium.Layers[0]) };
        foreach (var (repository, _) in blobs) await BlobReader.ReadManifestAsync(entrepot.Url, repository, "1");
        await Task.WhenAll(blobs.Select(async blob =>
        {
            var (repository, layer) = blob;
            var injected = upstream.Inject(UpstreamFaults.Named(fault), layer.Digest);

            var spoilt = await BlobReader.ReadBlobAsync(entrepot.Url, repository, layer.Digest);
            // Of a large blob the first piece may be right. Whether the answer has begun by the time the lie comes out is a matter of who is quicker.
            var mayHaveBegun = status == 200 || (fault.StartsWith("one byte", StringComparison.Ordinal) && repository == "library/medium");
            if (!mayHaveBegun || spoilt.Status != 200) Assert.Equal(status == 200 ? 502 : status, spoilt.Status);
            Assert.InRange(spoilt.HeadersAt - spoilt.StartedAt, TimeSpan.Zero, TimeSpan.FromSeconds(10));
            if (spoilt.Status == 200)
            {
                Assert.Equal(BodyEnd.Early, spoilt.End);
                Assert.InRange(spoilt.BytesRead, 0, layer.Size - 1);
            }
            else
            {
                Assert.Contains($"\"code\":\"{code}\"", spoilt.ErrorText, StringComparison.Ordinal);
                if (status is 503 or 429) Assert.True(spoilt.Headers.ContainsKey("Retry-After"));
            }
            Assert.DoesNotContain(await entrepot.StoredBlobsAsync(), blob => blob.Digest == layer.Digest);

            injected.Heal();
            await Eventually.Async(async () =>
            {
                var read = await BlobReader.ReadBlobAsync(entrepot.Url, repository, layer.Digest);
                return read is { Status: 200, Completed: true } && read.Digest == layer.Digest;
            }, TimeSpan.FromSeconds(40), "the next pull to work");
            if (status == 429)
                await Eventually.Async(() => entrepot.LogText.Contains($"lab.test limits us: {layer.Digest} of {repository} refused, Retry-After 1 s", StringComparison.Ordinal), TimeSpan.FromSeconds(10), "the log to tell who was refused");
        }));
    }

    [Theory]
    [InlineData("early close")]
    [InlineData("reset")]
    [InlineData("ranges ignored")]
    [InlineData("no Content-Length")]
    [InlineData("slow start")]
    public async Task A_download_that_breaks_once_is_resumed_behind_the_clients_back(string fault)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        foreach (var (repository, layer) in new[] { ("library/little", fixture.Little.Layers[0]), ("library/medium", fixture.Medium.Layers[0]) })
        {
            await BlobReader.ReadManifestAsync(entrepot.Url, repository, "1");
            upstream.Inject(Break(fault), layer.Digest, count: 1);
            var read = await BlobReader.ReadBlobAsync(entrepot.Url, repository, layer.Digest);
            Assert.Equal((200, true, layer.Digest), (read.Status, read.Completed, read.Digest));
            upstream.HealAll();
        }
    }

    [Fact]
    public async Task An_upstream_that_hangs_in_the_middle_costs_a_stall_and_no_more()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url).Add("docker.io", upstream.Url, ("StallTimeout", "2s")).Set("DefaultUpstream", "docker.io"));
        var layer = fixture.Little.Layers[0];
        upstream.Inject(Fault.HangMidBody(1_000_000), layer.Digest, count: 1);
        var read = await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest);
        Assert.Equal((200, true, layer.Digest), (read.Status, read.Completed, read.Digest));
        Assert.InRange(read.Elapsed, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(8));
        upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
    }

    private static Fault Break(string fault) => fault switch
    {
        "early close" => Fault.Truncate(1_000_000),
        "reset" => Fault.Reset(1_000_000),
        "ranges ignored" => Fault.IgnoreRange(),
        "no Content-Length" => Fault.NoContentLength(),
        _ => Fault.Slow(2 << 20),
    };
}
