using System.Text;
using Entrepot.TestSupport.Clients;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Long, many, large. What the web server itself answers has no body and closes the connection.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class LimitFacts(Lab lab)
{
    private const string Tag = "GET /v2/library/small/manifests/1";

    internal static readonly Section All = new(
        "Limits",
        Rule("A path of 1 KiB is read and refused by its grammar", Ours).Asks("GET /v2/{n*1000}/manifests/1").Refuses(400, "NAME_INVALID", "1000 characters"),
        Rule("A path of 8 KiB is read and refused by its grammar", Ours).Asks("GET /v2/{n/*4000}/manifests/1").Refuses(400, "NAME_INVALID", "characters"),
        Rule("A path of 8 KiB that is no route is unknown, with a short message", Ours).Asks("GET /v2/{n*8000}").Refuses(404, "NAME_UNKNOWN", "{n*100}")
            .That("at most 1 KiB", (_, answer) => Assert.InRange(answer.Body.Length, 1, 1024)),
        Rule("A query of 8 KiB does no harm", "RFC 9110 §4.1, at least 8000 octets").Asks("GET /v2/library/small/manifests/1?{q*8000}").Says(200).Gives("small"),
        Rule("A thousand parameters in the query do no harm", Ours).Asks("GET /v2/library/small/manifests/1?{&a=b*1000}&ns=docker.io").Says(200).Has("OCI-Namespace", "docker.io"),
        Raw("A request line of 100 KiB is too long", "RFC 9112 §3", 414, lab => $"GET /v2/{new string('a', 100 << 10)} HTTP/1.1\r\nHost: x\r\n\r\n", "a request line of 100 KiB"),
        Raw("A query of 100 KiB is too long", "RFC 9112 §3", 414, lab => $"GET /v2/?{new string('a', 100 << 10)} HTTP/1.1\r\nHost: x\r\n\r\n", "a query of 100 KiB"),
        Rule("90 headers are read", Ours).Asks([Tag, .. Enumerable.Range(0, 90).Select(i => $"X-{i}: {i}")]).Says(200).Gives("small"),
        Raw("200 headers are too many", "RFC 6585 §5", 431, lab => $"GET /v2/ HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: {i}\r\n"))}\r\n", "200 headers"),
        Rule("A header of 16 KiB is read", Ours).Asks(Tag, "X-Long: {x*16384}").Says(200).Gives("small"),
        Raw("A header of 64 KiB is too large", "RFC 6585 §5", 431, lab => $"GET /v2/ HTTP/1.1\r\nHost: x\r\nX-Long: {new string('x', 64 << 10)}\r\n\r\n", "one header of 64 KiB"),
        Raw("Headers of 100 KiB together are too large", "RFC 6585 §5", 431, lab => $"GET /v2/ HTTP/1.1\r\nHost: x\r\n{string.Concat(Enumerable.Range(0, 20).Select(i => $"X-{i}: {new string('x', 5 << 10)}\r\n"))}\r\n", "20 headers of 5 KiB"),
        Rule("If-None-Match of 32 KiB is read to its end", "RFC 9110 §13.1.2").Asks(Tag, "If-None-Match: {\"sha256:0000000000000000000000000000000000000000000000000000000000000000\", *420}\"{small}\"").Says(304),
        Rule("A Range of 1000 ranges is ignored", "RFC 9110 §17.15").Asks("GET /v2/library/small/blobs/{layer}", "Range: bytes={1-2,*999}1-2").Says(200).Gives("layer"),
        Rule("A number of 8 KiB as n is refused with a short message", Ours).Asks("GET /v2/lists/many/tags/list?n={x*8000}").Refuses(400, "PAGINATION_NUMBER_INVALID", "n=x")
            .That("at most 256 bytes", (_, answer) => Assert.InRange(answer.Body.Length, 1, 256)),
        Rule("A last of 8 KiB does no harm", ListTags).Asks("GET /v2/lists/many/tags/list?last={x*8000}").Says(200).GivesText("{\"name\":\"lists/many\",\"tags\":[]}"),
        Rule("A tag of 4 KiB is refused with a short message", PullManifests).Asks("GET /v2/library/small/manifests/{t*4096}").Refuses(400, "TAG_INVALID", "{t*128}...")
            .That("at most 1 KiB", (_, answer) => Assert.InRange(answer.Body.Length, 1, 1024)),
        Rule("A digest of 4 KiB is refused with a short message", PullBlobs).Asks("GET /v2/library/small/blobs/sha256:{a*4096}").Refuses(400, "DIGEST_INVALID", "sha256:{a*121}...")
            .That("at most 1 KiB", (_, answer) => Assert.InRange(answer.Body.Length, 1, 1024)),
        Rule("A push of 1 MiB is refused before and after its body", "RFC 9110 §15.5.6")
            .Does("`PUT` of a manifest with a body of 1 MiB, then `GET /v2/`, on one connection", "`405`, then `200`", async lab =>
            {
                var head = Encoding.ASCII.GetBytes($"PUT /v2/library/small/manifests/1 HTTP/1.1\r\nHost: x\r\nContent-Length: {1 << 20}\r\n\r\n");
                var (answers, _) = await RawHttp.SendManyAsync(lab.Entrepot.Port, (byte[])[.. head, .. new byte[1 << 20], .. "GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8], false, false);
                Assert.Equal([405, 200], answers.Select(answer => answer.Status));
            }),
        Rule("A push of more than is read is refused all the same", "RFC 9110 §15.5.14")
            .Does("`PUT` of a manifest with `Content-Length` of 1 GiB, of which nothing is sent", "`405`", async lab =>
            {
                var answer = await RawHttp.SendAsync(lab.Entrepot.Port, "PUT /v2/library/small/manifests/1 HTTP/1.1", "Host: x", $"Content-Length: {1 << 30}");
                Assert.Equal(405, answer.Status);
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Limits(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Raw(string rule, string source, int status, Func<Lab, string> request, string shown) => Rule(rule, source)
        .Does(shown, $"`{status}`, the connection closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes(request(lab)), false);
            Assert.Equal((status, true), (answers[0].Status, closed));
        });
}
