using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Blobs: whole.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class BlobFacts(Lab lab)
{
    private const string Layer = "GET /v2/library/small/blobs/{layer}";

    internal static readonly Section All = new(
        "Blobs",
        Rule("A blob is the upstream's, byte for byte", PullBlobs).Asks(Layer).Says(200).Gives("layer"),
        Rule("A blob says its exact length", "RFC 9110 §8.6").Asks(Layer).Says(200).Has("Content-Length", "{layer.size}"),
        Rule("A blob says its digest", PullBlobs).Asks(Layer).Says(200).Has("Docker-Content-Digest", "{layer}"),
        Rule("A blob's ETag is its digest in quotes", "RFC 9110 §8.8.3").Asks(Layer).Says(200).Has("ETag", "\"{layer}\""),
        Rule("A blob is of no said type", PullBlobs).Asks(Layer).Says(200).Has("Content-Type", "application/octet-stream"),
        Rule("A blob offers ranges", Oras).Asks(Layer).Says(200).Has("Accept-Ranges", "bytes"),
        Rule("A blob never changes", "RFC 8246 §2").Asks(Layer).Says(200).Has("Cache-Control", "max-age=31536000, immutable"),
        Rule("A blob has no age", "RFC 9111 §5.1").Asks(Layer).Says(200).HasNo("Age").HasNo("Warning"),
        Rule("HEAD of a blob has the headers of GET", CheckContent).Asks(Layer).Says(200).AlikeOnHead(),
        Rule("HEAD of a blob has the length and no body", CheckContent).Asks("HEAD /v2/library/small/blobs/{layer}").Says(200).Has("Content-Length", "{layer.size}").GivesNothing(),
        Rule("Compressed content is not called encoded", "RFC 9110 §8.4").Asks("GET /v2/library/small/blobs/{gzip}", "Accept-Encoding: gzip").Says(200).HasNo("Content-Encoding").Gives("gzip"),
        Rule("An empty blob is served", PullBlobs).Asks("GET /v2/library/small/blobs/{empty}").Says(200).Has("Content-Length", "0").Has("Docker-Content-Digest", "{empty}").GivesNothing(),
        Rule("HEAD of an empty blob has the headers of GET", CheckContent).Asks("GET /v2/library/small/blobs/{empty}").Says(200).AlikeOnHead(),
        Rule("A blob of one byte is served", PullBlobs).Asks("GET /v2/library/small/blobs/{one}").Says(200).Has("Content-Length", "1").Gives("one"),
        Rule("A sha512 blob says its sha512 digest", Digests).Asks("GET /v2/library/small/blobs/{layer512}").Says(200).Has("Docker-Content-Digest", "{layer512}").Has("ETag", "\"{layer512}\""),
        Rule("HEAD of a sha512 blob has the headers of GET", Digests).Asks("GET /v2/library/small/blobs/{layer512}").Says(200).AlikeOnHead(),
        Rule("A config is a blob like any other", PullBlobs).Asks("GET /v2/library/small/blobs/{config}").Says(200).Has("Content-Type", "application/octet-stream").Gives("config"),
        Rule("A blob that the upstream does not have is unknown", PullBlobs).Asks("GET /v2/library/small/blobs/sha256:{2*64}").Refuses(404, "BLOB_UNKNOWN", "sha256:{2*64}"),
        Rule("A sha512 blob that the upstream does not have is unknown", PullBlobs).Asks("GET /v2/library/small/blobs/sha512:{2*128}").Refuses(404, "BLOB_UNKNOWN", "sha512:{2*100}"),
        Rule("HEAD of a blob that is not there is 404 without a body", CheckContent).Asks("HEAD /v2/library/small/blobs/sha256:{3*64}").Says(404).Has("Content-Type", "application/json").GivesNothing(),
        Rule("A blob of a repository that is not there is unknown", PullBlobs).Asks("GET /v2/library/nowhere/blobs/sha256:{4*64}").Refuses(404, "BLOB_UNKNOWN", "library/nowhere"),
        Rule("A blob held for one repository is unknown in another whose upstream does not have it", PullBlobs)
            .Does("`GET` of a held blob's digest in a repository that does not have it", "`404`, `BLOB_UNKNOWN`", async lab =>
            {
                lab.Registry.Repository("blobs/without").AddBlob("something else"u8.ToArray());
                var answer = await lab.GetAsync("/v2/blobs/without/blobs/{layer}");
                Assert.Equal((404, "BLOB_UNKNOWN"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("A blob held for one repository is not downloaded again for another that has it", "OCI distribution-spec v1.1, Mounting a blob from another repository")
            .Does("`GET` of a held blob's digest in another repository that has it", "`200`, the bytes; upstream: `HEAD`, no `GET`", async lab =>
            {
                lab.Registry.Repository("blobs/shared").AddBlob(lab.Bytes("layer"));
                var answer = await lab.GetAsync("/v2/blobs/shared/blobs/{layer}");
                Assert.Equal(200, answer.Status);
                Assert.Equal(lab.Bytes("layer"), answer.Body);
                Assert.Empty(lab.Upstream.Log.Matching("/v2/blobs/shared/", "GET"));
            }),
        Rule("HEAD of a cold blob downloads nothing", CheckContent)
            .Does("`HEAD` of a blob that nobody has asked for", "`200`, exact `Content-Length`; upstream: no `GET`", async lab =>
            {
                var digest = lab.Registry.Repository("blobs/cold-head").AddBlob(LabContents.Noise(5000, 21));
                var head = await lab.HeadAsync("/v2/blobs/cold-head/blobs/" + digest);
                Assert.Equal((200, "5000", digest, "bytes"), (head.Status, head.Header("Content-Length"), head.Header("Docker-Content-Digest"), head.Header("Accept-Ranges")));
                Assert.Empty(lab.Upstream.Log.Matching(digest, "GET"));
            }),
        Rule("HEAD of a blob that a pulled manifest lists asks the upstream nothing", CheckContent)
            .Does("pull a manifest, then `HEAD` of its layer", "`200`, the listed length; upstream: not asked for the layer", async lab =>
            {
                lab.NewRepository("blobs/listed");
                await lab.GetAsync("/v2/blobs/listed/manifests/1");
                var head = await lab.HeadAsync("/v2/blobs/listed/blobs/{layer}");
                Assert.Equal((200, "10000"), (head.Status, head.Header("Content-Length")));
                Assert.Empty(lab.Upstream.Log.Matching("/v2/blobs/listed/blobs/"));
            }),
        Rule("A cold blob has the same headers as a held one", PullBlobs)
            .Does("`GET` of a cold blob, and again when it is held", "the same headers but `X-Cache` and `Date`", async lab =>
            {
                var digest = lab.Registry.Repository("blobs/cold").AddBlob(LabContents.Noise(6000, 22));
                var cold = await lab.GetAsync("/v2/blobs/cold/blobs/" + digest);
                await lab.UntilHeldAsync("/v2/blobs/cold/blobs/" + digest);
                var hot = await lab.GetAsync("/v2/blobs/cold/blobs/" + digest);
                Assert.Equal(("MISS", "HIT"), (cold.Header("X-Cache"), hot.Header("X-Cache")));
                Assert.Equal(Headers(cold), Headers(hot));
                Assert.Equal(cold.Body, hot.Body);
            }),
        Rule("Twenty requests for one cold blob are one download", Ours)
            .Does("20 times `GET` of a cold blob at once", "20 times the bytes; upstream: each byte once", async lab =>
            {
                var bytes = LabContents.Noise(300_000, 23);
                var digest = lab.Registry.Repository("blobs/herd").AddBlob(bytes);
                var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => lab.GetAsync("/v2/blobs/herd/blobs/" + digest)));
                Assert.All(answers, answer => Assert.Equal(bytes, answer.Body));
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length);
            }),
        Rule("A download goes on when its client has left", Ours)
            .Does("`GET` of a cold blob, gone after the headers", "the blob is held a moment later; upstream: each byte once", async lab =>
            {
                var bytes = LabContents.Noise(400_000, 24);
                var digest = lab.Registry.Repository("blobs/left").AddBlob(bytes);
                using (var client = new System.Net.Sockets.TcpClient("127.0.0.1", lab.Entrepot.Port))
                {
                    await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET /v2/blobs/left/blobs/{digest} HTTP/1.1\r\nHost: x\r\n\r\n"));
                    await client.GetStream().ReadExactlyAsync(new byte[20]);
                }

                await lab.UntilHeldAsync("/v2/blobs/left/blobs/" + digest);
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length);
            }),
        Rule("Bytes that do not match the digest never end as announced", "OCI distribution-spec v1.1, Pulling blobs; OCI image-spec v1.1, descriptor.md, Verification")
            .Does("`GET` of a blob for which the upstream sends other bytes", "an error, or a body shorter than its `Content-Length`; the next `GET` the same", async lab =>
            {
                var digest = "sha256:" + new string('5', 64);
                lab.Registry.Repository("blobs/lie").AddBlobAs(digest, LabContents.Noise(200_000, 25));
                for (var round = 0; round < 2; round++)
                {
                    var answer = await RawHttp.SendAsync(lab.Entrepot.Port, $"GET /v2/blobs/lie/blobs/{digest} HTTP/1.1", "Host: x", "Connection: close");
                    Assert.True(answer is { Status: 502 } or { Status: 200, EndedShort: true }, Lab.Show(answer));
                }
            }),
        Rule("A small blob of which the last byte is wrong never ends as announced", "OCI image-spec v1.1, descriptor.md, Verification")
            .Does("`GET` of a cold blob of 100 bytes, the last of which the upstream spoils", "an error, or a body shorter than its `Content-Length`", async lab =>
            {
                var digest = lab.Registry.Repository("blobs/spoiled").AddBlob(LabContents.Noise(100, 26));
                lab.Upstream.Inject(Fault.FlipByte(), digest, count: 1);
                var answer = await RawHttp.SendAsync(lab.Entrepot.Port, $"GET /v2/blobs/spoiled/blobs/{digest} HTTP/1.1", "Host: x", "Connection: close");
                Assert.True(answer is { Status: 502 } or { Status: 200, EndedShort: true }, Lab.Show(answer));
            }),
        Rule("A blob of another length than its manifest lists is refused", ImageManifest)
            .Does("the manifest lists 10000 bytes, the upstream has 9999 under that digest", "`502`, `DIGEST_INVALID`", async lab =>
            {
                var digest = "sha256:" + new string('6', 64);
                var repository = lab.Registry.Repository("blobs/wrong-size");
                repository.AddManifest(System.Text.Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","layers":[{"mediaType":"a/b","digest":"{{digest}}","size":10000}]}"""), MediaTypes.OciManifest, "1");
                repository.AddBlobAs(digest, LabContents.Noise(9999, 27));
                await lab.GetAsync("/v2/blobs/wrong-size/manifests/1");
                var answer = await lab.GetAsync("/v2/blobs/wrong-size/blobs/" + digest);
                Assert.Equal((502, "DIGEST_INVALID"), (answer.Status, Always.Error(answer).Code));
                Assert.Contains("9999", Always.Error(answer).Message, StringComparison.Ordinal);
            }),
        Rule("A blob whose upstream says no length is served whole", "RFC 9112 §7.1")
            .Does("`GET` of a cold blob that the upstream sends chunked", "`200`, exact `Content-Length`, the bytes", async lab =>
            {
                var bytes = LabContents.Noise(70_000, 28);
                var digest = lab.Registry.Repository("blobs/chunked").AddBlob(bytes);
                lab.Upstream.Inject(Fault.NoContentLength(), digest);
                var answer = await lab.GetAsync("/v2/blobs/chunked/blobs/" + digest);
                Assert.Equal((200, "70000"), (answer.Status, answer.Header("Content-Length")));
                Assert.Equal(bytes, answer.Body);
            }),
        Rule("A body that can't be completed ends short and without a reset, so that clients resume", "containerd, which resumes behind an unexpected end only")
            .Does("`GET` of a cold blob of 3 MB of which the upstream never sends more than 1 MB", "`200`, the bytes there are but the last, then the connection ends (FIN), short of `Content-Length`", async lab =>
            {
                var bytes = LabContents.Noise(3_000_000, 30);
                var digest = lab.Registry.Repository("blobs/cut").AddBlob(bytes);
                var fault = lab.Upstream.Inject(Fault.Truncate(1_000_000), digest);
                var (head, body) = await ReadToEndAsync(lab.Entrepot.Port, $"/v2/blobs/cut/blobs/{digest}");
                fault.Heal();
                Assert.StartsWith("HTTP/1.1 200 ", head, StringComparison.Ordinal);
                Assert.Contains("Content-Length: 3000000", head, StringComparison.Ordinal);
                Assert.InRange(body.Length, 900_000, 1_000_000);
                Assert.Equal(bytes[..body.Length], body);
            }),
        Rule("A connection that breaks at the upstream is not seen by the client", "RFC 9110 §14.2")
            .Does("`GET` of a cold blob; the upstream's connection ends in the middle, once", "`200`, the bytes; upstream: each byte once", async lab =>
            {
                var bytes = LabContents.Noise(500_000, 29);
                var digest = lab.Registry.Repository("blobs/broken").AddBlob(bytes);
                lab.Upstream.Inject(Fault.Truncate(250_000), digest, count: 1);
                var answer = await lab.GetAsync("/v2/blobs/broken/blobs/" + digest);
                Assert.Equal(bytes, answer.Body);
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length);
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Blobs(RuleName rule) => All.CheckAsync(rule, lab);

    /// <summary>Reads until the peer has closed; a reset is an exception.</summary>
    private static async Task<(string Head, byte[] Body)> ReadToEndAsync(int port, string path)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var client = new System.Net.Sockets.TcpClient("127.0.0.1", port);
        await client.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"), timeout.Token);
        using var all = new MemoryStream();
        await client.GetStream().CopyToAsync(all, timeout.Token);
        var bytes = all.ToArray();
        var end = bytes.AsSpan().IndexOf("\r\n\r\n"u8) + 4;
        return (System.Text.Encoding.ASCII.GetString(bytes[..end]), bytes[end..]);
    }

    private static IEnumerable<string> Headers(RawResponse answer) =>
        answer.Headers.Where(header => header.Key is not ("Date" or "X-Cache")).Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal);
}
