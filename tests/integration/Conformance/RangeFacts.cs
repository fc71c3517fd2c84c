using System.Globalization;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Running;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Parts of blobs. The layer has 10000 bytes.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class RangeFacts(Lab lab)
{
    private const string Rfc = "RFC 9110 §14.1.2";
    private const string Layer = "GET /v2/library/small/blobs/{layer}";

    internal static readonly Section All = new(
        "Ranges of blobs",
        Part("A range in the middle", "500-1499", 500, 1000, Suite),
        Part("An open range goes to the end", "500-", 500, 9500, Suite),
        Part("A suffix range is the last bytes", "-500", 9500, 500, Suite),
        Part("A range over all is still a part, as containerd's parallel fetch asks for", "0-", 0, 10_000, "containerd 2.1, concurrent layer fetch"),
        Part("A range may be the first byte", "0-0", 0, 1, Rfc),
        Part("A range may be the last byte", "9999-9999", 9999, 1, Rfc),
        Part("An open range may be the last byte", "9999-", 9999, 1, Rfc),
        Part("A suffix may be one byte", "-1", 9999, 1, Rfc),
        Part("A range that ends behind the end is cut", "9990-20000", 9990, 10, Suite),
        Part("A suffix longer than the blob is the whole blob", "-20000", 0, 10_000, Rfc),
        Part("An end too big for any number is cut", "9000-99999999999999999999999999", 9000, 1000, Rfc),
        Part("A suffix too big for any number is the whole blob", "-99999999999999999999999999", 0, 10_000, Rfc),
        Part("Zeros before a number do no harm", "0000-0009", 0, 10, Rfc),
        Part("Empty elements of the list are passed over", ",,5-6,,", 5, 2, "RFC 9110 §5.6.1.2"),
        Rule("The unit is compared without case", "RFC 9110 §14.1").Asks(Layer, "Range: BYTES=0-9").Says(206).Has("Content-Range", "bytes 0-9/10000").Gives("layer", 0, 10),
        Rule("A part has the headers of the whole besides", "RFC 9110 §15.3.7").Asks(Layer, "Range: bytes=0-9").Says(206).Has("ETag", "\"{layer}\"").Has("Docker-Content-Digest", "{layer}")
            .Has("Accept-Ranges", "bytes").Has("Content-Type", "application/octet-stream").Has("Cache-Control", "max-age=31536000, immutable"),
        Rule("A part of a blob of one byte", Rfc).Asks("GET /v2/library/small/blobs/{one}", "Range: bytes=0-0").Says(206).Has("Content-Range", "bytes 0-0/1").Gives("one"),
        Rule("A part of a sha512 blob", Rfc).Asks("GET /v2/library/small/blobs/{layer512}", "Range: bytes=5-9").Says(206).Has("Content-Range", "bytes 5-9/10000").Gives("layer", 5, 5),
        None("A range that begins at the end cannot be satisfied", "10000-"),
        None("A range that begins behind the end cannot be satisfied", "20000-30000"),
        None("A start too big for any number cannot be satisfied", "99999999999999999999999999-"),
        None("A suffix of no bytes cannot be satisfied", "-0"),
        None("A reversed range cannot be satisfied", "500-0", Suite),
        None("Several ranges of which none can be satisfied", "10000-,20000-"),
        Rule("416 has no type and no length but 0", "RFC 9110 §15.5.17").Asks(Layer, "Range: bytes=10000-").Says(416).HasNo("Content-Type").Has("Content-Length", "0").GivesNothing(),
        Rule("Any range of an empty blob cannot be satisfied", "RFC 9110 §14.1.2").Asks("GET /v2/library/small/blobs/{empty}", "Range: bytes=0-").Says(416).Has("Content-Range", "bytes */0").GivesNothing(),
        Rule("A suffix of an empty blob cannot be satisfied", "RFC 9110 §14.1.2").Asks("GET /v2/library/small/blobs/{empty}", "Range: bytes=-5").Says(416).Has("Content-Range", "bytes */0"),
        Whole("An unknown unit is ignored", "lines=1-2", "RFC 9110 §14.2"),
        Whole("A Range without a unit is ignored", "0-9", "RFC 9110 §14.2"),
        Whole("A Range of a unit alone is ignored", "bytes", Rfc),
        Whole("A Range of no ranges is ignored", "bytes=", Rfc),
        Whole("A lone dash is ignored", "bytes=-", Rfc),
        Whole("Letters in place of numbers are ignored", "bytes=a-b", Rfc),
        Whole("A sign before a number is ignored", "bytes=+1-5", Rfc),
        Whole("A number alone is ignored", "bytes=5", Rfc),
        Whole("Two dashes are ignored", "bytes=1-2-3", Rfc),
        Whole("A fraction is ignored", "bytes=0.5-9", Rfc),
        Whole("A space inside a range is ignored", "bytes=0 -9", Rfc),
        Whole("A space before the equals sign is ignored", "bytes =0-9", Rfc),
        Whole("One bad range among good ones spoils all", "bytes=0-9,x-y", Rfc),
        Whole("An empty Range is ignored", "", Rfc),
        Whole("17 ranges are ignored", "bytes=" + string.Join(',', Enumerable.Range(0, 17).Select(i => $"{i * 10}-{i * 10}")), "RFC 9110 §17.15"),
        Whole("Ranges that together are longer than the blob are ignored", "bytes=0-9999,0-0", "RFC 9110 §17.15"),
        Rule("Two Range lines are ignored", "RFC 9110 §5.3").Asks(Layer, "Range: bytes=0-9", "Range: bytes=20-29").Says(200).HasNo("Content-Range").Gives("layer"),
        Rule("HEAD ignores Range", "RFC 9110 §14.2").Asks("HEAD /v2/library/small/blobs/{layer}", "Range: bytes=0-9").Says(200).Has("Content-Length", "10000").HasNo("Content-Range").GivesNothing(),
        Rule("HEAD ignores a Range that cannot be satisfied", "RFC 9110 §14.2").Asks("HEAD /v2/library/small/blobs/{layer}", "Range: bytes=99999-").Says(200).Has("Content-Length", "10000"),
        Parts("Two ranges are two parts", "0-9,100-199", (0, 9), (100, 199)),
        Parts("Three ranges in any order are three parts in that order", "9990-9999,0-4,500-509", (9990, 9999), (0, 4), (500, 509)),
        Parts("Overlapping ranges are not merged", "0-99,50-149", (0, 99), (50, 149)),
        Parts("Adjacent ranges are not merged", "0-9,10-19", (0, 9), (10, 19)),
        Parts("The same range twice is two parts", "7-8,7-8", (7, 8), (7, 8)),
        Parts("The first byte and the last", "0-0,-1", (0, 0), (9999, 9999)),
        Parts("A suffix and an open range may be parts", "-5,9000-", (9995, 9999), (9000, 9999)),
        Parts("A part is cut at the end", "0-1,9998-20000", (0, 1), (9998, 9999)),
        Parts("16 ranges are 16 parts", string.Join(',', Enumerable.Range(0, 16).Select(i => $"{i * 600}-{(i * 600) + 9}")), [.. Enumerable.Range(0, 16).Select(i => ((long)i * 600, ((long)i * 600) + 9))]),
        Parts("Spaces and tabs behind commas do no harm", "0-9, \t20-29 ,40-49", (0, 9), (20, 29), (40, 49)),
        Parts("Ranges that can be satisfied are served without those that cannot", "0-9,10000-,20-29", (0, 9), (20, 29)),
        Rule("One range that is left of several is a plain part", "RFC 9110 §15.3.7.2").Asks(Layer, "Range: bytes=0-9,10000-").Says(206).Has("Content-Range", "bytes 0-9/10000").Has("Content-Length", "10").Gives("layer", 0, 10),
        Rule("A multipart answer has no Content-Range of its own", "RFC 9110 §15.3.7.2").Asks(Layer, "Range: bytes=0-9,20-29").Says(206).HasNo("Content-Range").Has("Docker-Content-Digest", "{layer}").Has("ETag", "\"{layer}\""),
        Rule("A multipart answer says its boundary and its exact length", "RFC 9110 §14.6").Asks(Layer, "Range: bytes=0-9,20-29").Says(206)
            .HasLike("Content-Type", "`multipart/byteranges` with a boundary", value => value.StartsWith("multipart/byteranges; boundary=", StringComparison.Ordinal))
            .That("`Content-Length` is the body's", (_, answer) => Assert.Equal(answer.Body.Length.ToString(CultureInfo.InvariantCulture), answer.Header("Content-Length"))),
        Rule("If-Range with the ETag lets Range be", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=0-9", "If-Range: \"{layer}\"").Says(206).Gives("layer", 0, 10),
        Rule("If-Range with another ETag gives the whole", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=0-9", "If-Range: \"{config}\"").Says(200).HasNo("Content-Range").Gives("layer"),
        Rule("If-Range with a weak ETag gives the whole", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=0-9", "If-Range: W/\"{layer}\"").Says(200).Gives("layer"),
        Rule("If-Range with a date gives the whole", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=0-9", "If-Range: Fri, 31 Dec 2999 23:59:59 GMT").Says(200).Gives("layer"),
        Rule("If-Range that cannot be read gives the whole", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=0-9", "If-Range: \"").Says(200).Gives("layer"),
        Rule("If-Range without Range changes nothing", "RFC 9110 §13.1.5").Asks(Layer, "If-Range: \"{config}\"").Says(200).Gives("layer"),
        Rule("If-Range with the ETag and a Range that cannot be satisfied is 416", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=10000-", "If-Range: \"{layer}\"").Says(416),
        Rule("If-Range with another ETag and a Range that cannot be satisfied gives the whole", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=10000-", "If-Range: \"x\"").Says(200).Gives("layer"),
        Rule("If-Range with the ETag lets several ranges be", "RFC 9110 §13.1.5").Asks(Layer, "Range: bytes=0-9,20-29", "If-Range: \"{layer}\"").Says(206).That("2 parts", (_, answer) => Assert.Equal(2, Multipart.Read(answer).Count)),
        Rule("Range on a blob that is not there is 404", PullBlobs).Asks("GET /v2/library/small/blobs/sha256:{7*64}", "Range: bytes=0-9").Refuses(404, "BLOB_UNKNOWN", "sha256:{7*64}"),
        Rule("A range of a cold blob is served, and the whole behind it without a byte twice", "RFC 9110 §14.2")
            .Does("`GET` of the last 100 bytes of a cold blob of 3 MB, then of the whole", "`206` with the bytes, then `200` with all; upstream: each byte once", async lab =>
            {
                var (bytes, digest) = Big(lab, "far", 31);
                var far = await RangeAsync(lab, "far", digest, "2999900-");
                Assert.Equal((206, "bytes 2999900-2999999/3000000"), (far.Status, far.Header("Content-Range")));
                Assert.Equal(bytes[2_999_900..], far.Body);
                Assert.Equal(bytes, (await lab.GetAsync($"/v2/ranges/far/blobs/{digest}")).Body);
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length);
            }),
        Rule("A range of a blob that is being fetched is served from that fetch", "RFC 9110 §14.2")
            .Does("a blob of 3 MB comes at 2 MB a second; meanwhile `GET` of ranges far, near and in the middle, and of several", "`206` with the bytes each; upstream: each byte once", async lab =>
            {
                var (bytes, digest) = Big(lab, "running", 32);
                await SlowlyAsync(lab, async () =>
                {
                    var whole = lab.GetAsync($"/v2/ranges/running/blobs/{digest}");
                    await Eventually.Async(() => lab.Upstream.Log.Matching(digest, "GET").Count > 0, TimeSpan.FromSeconds(20), "the fetch to run");
                    var parts = await Task.WhenAll(
                        RangeAsync(lab, "running", digest, "-100"), RangeAsync(lab, "running", digest, "0-99"), RangeAsync(lab, "running", digest, "1500000-1500099"), RangeAsync(lab, "running", digest, "2000000-2000009,10-19"));
                    Assert.All(parts, part => Assert.Equal((206, "COALESCED"), (part.Status, part.Header("X-Cache"))));
                    Assert.Equal(bytes[^100..], parts[0].Body);
                    Assert.Equal(bytes[..100], parts[1].Body);
                    Assert.Equal(bytes[1_500_000..1_500_100], parts[2].Body);
                    Assert.Equal([bytes[2_000_000..2_000_010], bytes[10..20]], Multipart.Read(parts[3]).Select(part => part.Bytes));
                    Assert.Equal(bytes, (await whole).Body);
                });
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length);
            }),
        Rule("A near range of a blob that is being fetched does not wait for its end", Ours)
            .Does("a blob of 3 MB comes at 2 MB a second; `GET` of its first 1000 bytes", "`206` before the fetch is done", async lab =>
            {
                var (bytes, digest) = Big(lab, "near", 33);
                await SlowlyAsync(lab, async () =>
                {
                    var near = await RangeAsync(lab, "near", digest, "0-999");
                    Assert.Equal(bytes[..1000], near.Body);
                    Assert.Contains(lab.Upstream.Log.Matching(digest, "GET"), request => request.FinishedAt is null);
                });
            }),
        Rule("A range of a cold blob that begins behind its end is 416 as of a held one", "RFC 9110 §15.5.17")
            .Does("`GET` of `bytes=3000000-` of a cold blob of 3 MB", "`416`, `Content-Range: bytes */3000000`", async lab =>
            {
                var (_, digest) = Big(lab, "behind", 34);
                var answer = await RangeAsync(lab, "behind", digest, "3000000-");
                Assert.Equal((416, "bytes */3000000", "0"), (answer.Status, answer.Header("Content-Range"), answer.Header("Content-Length")));
            }),
        Rule("A suffix of a cold blob is served", Rfc)
            .Does("`GET` of `bytes=-7` of a cold blob of 3 MB", "`206`, `Content-Range: bytes 2999993-2999999/3000000`", async lab =>
            {
                var (bytes, digest) = Big(lab, "suffix", 35);
                var answer = await RangeAsync(lab, "suffix", digest, "-7");
                Assert.Equal((206, "bytes 2999993-2999999/3000000"), (answer.Status, answer.Header("Content-Range")));
                Assert.Equal(bytes[^7..], answer.Body);
            }),
        Rule("Several ranges of a cold blob are parts as of a held one", PartialPulls)
            .Does("`GET` of `bytes=2999990-2999999,0-9` of a cold blob of 3 MB", "`206`, two parts in that order; upstream: each byte once", async lab =>
            {
                var (bytes, digest) = Big(lab, "several", 36);
                var answer = await RangeAsync(lab, "several", digest, "2999990-2999999,0-9");
                Assert.Equal([bytes[^10..], bytes[..10]], Multipart.Read(answer).Select(part => part.Bytes));
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length, complete: false);
            }),
        Rule("A range of a cold blob brings all of it, once", Ours)
            .Does("`GET` of `bytes=0-9` of a cold blob of 3 MB, and wait", "the blob is held; upstream: each byte once", async lab =>
            {
                var (bytes, digest) = Big(lab, "all", 37);
                Assert.Equal(206, (await RangeAsync(lab, "all", digest, "0-9")).Status);
                await lab.UntilHeldAsync($"/v2/ranges/all/blobs/{digest}");
                lab.Upstream.Log.AssertNoByteTwice(digest, bytes.Length);
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Ranges(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Part(string rule, string range, int from, int count, string source) => Rule(rule, source).Asks(Layer, $"Range: bytes={range}")
        .Says(206).Has("Content-Range", $"bytes {from}-{from + count - 1}/10000").Has("Content-Length", count.ToString(CultureInfo.InvariantCulture)).Gives("layer", from, count);

    private static Fact None(string rule, string range, string source = "RFC 9110 §15.5.17") =>
        Rule(rule, source).Asks(Layer, $"Range: bytes={range}").Says(416).Has("Content-Range", "bytes */10000").GivesNothing();

    private static Fact Whole(string rule, string range, string source) =>
        Rule(rule, source).Asks(Layer, $"Range: {range}").Says(200).HasNo("Content-Range").Has("Content-Length", "10000").Gives("layer");

    private static Fact Parts(string rule, string ranges, params (long First, long Last)[] parts) => Rule(rule, PartialPulls).Asks(Layer, $"Range: bytes={ranges}").Says(206)
        .That($"`multipart/byteranges` of {string.Join(", ", parts.Select(part => $"{part.First}-{part.Last}"))} in this order", (lab, answer) =>
        {
            var read = Multipart.Read(answer);
            Assert.Equal(parts.Select(part => (part.First, part.Last, 10_000L, "application/octet-stream")), read.Select(part => (part.First, part.Last, part.Total, part.ContentType!)));
            Assert.All(read, part => Assert.Equal(lab.Bytes("layer")[(int)part.First..((int)part.Last + 1)], part.Bytes));
        });

    private static (byte[] Bytes, string Digest) Big(Lab lab, string name, int seed)
    {
        var bytes = LabContents.Noise(3_000_000, seed);
        return (bytes, lab.Registry.Repository("ranges/" + name).AddBlob(bytes));
    }

    private static Task<RawResponse> RangeAsync(Lab lab, string name, string digest, string range) => lab.GetAsync($"/v2/ranges/{name}/blobs/{digest}", $"Range: bytes={range}");

    private static async Task SlowlyAsync(Lab lab, Func<Task> story)
    {
        lab.Upstream.BytesPerSecond = 2_000_000;
        try
        {
            await story();
        }
        finally
        {
            lab.Upstream.BytesPerSecond = null;
        }
    }
}
