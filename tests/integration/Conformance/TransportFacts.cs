using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>HTTP itself: versions, connections, request lines. What the web server itself answers has no body.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class TransportFacts(Lab lab)
{
    private const string Small = "/v2/library/small/manifests/1";

    internal static readonly Section All = new(
        "HTTP",
        Rule("HTTP/1.0 is answered without chunks and closed", "RFC 9112 §9.3").Does($"`GET {Small} HTTP/1.0`, no headers", "`200`, `Content-Length`, the bytes, the connection closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes($"GET {Small} HTTP/1.0\r\n\r\n"), false);
            Always.Check(answers[0], isHead: false);
            Assert.Equal((200, true), (answers[0].Status, closed));
            Assert.Equal(lab.Bytes("small"), answers[0].Body);
        }),
        Rule("HTTP/1.0 with keep-alive is kept", "RFC 9112 §9.3").Does("`GET … HTTP/1.0` with `Connection: keep-alive`, then one without, on one connection", "`200` twice", async lab =>
        {
            Assert.Equal([200, 200], await StatusesAsync(lab, $"GET {Small} HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET {Small} HTTP/1.0\r\n\r\n", 2));
        }),
        Rule("A connection is kept for the next request", "RFC 9112 §9.3").Does("`GET` of a manifest, then of a blob, on one connection", "`200` twice, the connection open", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes(Get(Small) + Get(lab.Fill("/v2/library/small/blobs/{layer}"))), false, false);
            Assert.Equal((200, 200, false), (answers[0].Status, answers[1].Status, closed));
            Assert.Equal(lab.Bytes("layer"), answers[1].Body);
        }),
        Rule("Connection: close is obeyed and confirmed", "RFC 9112 §9.6").Does("`GET` with `Connection: close`", "`Connection: close`, and closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes(Get(Small, "Connection: close")), false);
            Assert.Equal(("close", true), (answers[0].Header("Connection"), closed));
        }),
        Rule("Pipelined requests are answered in their order", "RFC 9112 §9.3.2").Does("`GET`, `HEAD`, `GET` of other things in one packet", "three answers in that order, no body for `HEAD`", async lab =>
        {
            var (answers, _) = await RawHttp.SendManyAsync(
                lab.Entrepot.Port, Encoding.ASCII.GetBytes(Get(Small) + lab.Fill("HEAD /v2/library/small/blobs/{layer} HTTP/1.1\r\nHost: x\r\n\r\n") + Get("/v2/", "Connection: close")), false, true, false);
            Assert.Equal([lab.Fill("{small}"), lab.Fill("{layer}"), null], answers.Select(answer => answer.Header("Docker-Content-Digest")));
            Assert.Equal("{}", Encoding.ASCII.GetString(answers[2].Body));
        }),
        Kept("The connection is kept behind an error", "RFC 9112 §9.3", Get("/v2/Bad/manifests/1"), 400),
        Kept("The connection is kept behind 304", "RFC 9112 §6.3", Get(Small, "If-None-Match: \"{small}\""), 304),
        Kept("The connection is kept behind 416", "RFC 9112 §9.3", Get("/v2/library/small/blobs/{layer}", "Range: bytes=99999-"), 416),
        Kept("The connection is kept behind a part", "RFC 9112 §9.3", Get("/v2/library/small/blobs/{layer}", "Range: bytes=5-9"), 206),
        Kept("The connection is kept behind several parts", "RFC 9112 §9.3", Get("/v2/library/small/blobs/{layer}", "Range: bytes=5-9,20-29"), 206),
        Kept("The connection is kept behind an empty blob", "RFC 9112 §9.3", Get("/v2/library/small/blobs/{empty}"), 200),
        Kept("A body on GET is passed over", "RFC 9110 §9.3.1", $"GET {Small} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 200),
        Kept("A chunked body on GET is passed over", "RFC 9110 §9.3.1", $"GET {Small} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 200),
        Kept("A refused push with a body leaves the connection usable", "RFC 9112 §9.3", "POST /v2/library/small/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
        Rule("Expect: 100-continue on GET is answered at once", "RFC 9110 §10.1.1").Asks($"GET {Small}", "Expect: 100-continue").Says(200).Gives("small"),
        Rule("Expect: 100-continue on a push is refused without its body", "RFC 9110 §10.1.1").Does("`PUT` with `Expect: 100-continue` and `Content-Length: 1000`, the body held back", "`405`", async lab =>
            Assert.Equal(405, (await RawHttp.SendAsync(lab.Entrepot.Port, $"PUT {Small} HTTP/1.1", "Host: x", "Expect: 100-continue", "Content-Length: 1000")).Status)),
        Rule("A target in absolute form is that of its path", "RFC 9112 §3.2.2").Does($"`GET http://cache.test{Small} HTTP/1.1`, `Host: cache.test`", "`200`, the bytes", async lab =>
        {
            var answer = await lab.SendAsync($"GET http://cache.test{Small}", "Host: cache.test");
            Assert.Equal(200, answer.Status);
            Assert.Equal(lab.Bytes("small"), answer.Body);
        }),
        Rule("A target in absolute form may have a query", "RFC 9112 §3.2.2").Asks($"GET http://cache.test{Small}?ns=docker.io", "Host: cache.test").Says(200).Has("OCI-Namespace", "docker.io"),
        Rule("An escaped target in absolute form is read once", "RFC 9112 §3.2.2").Asks("GET http://cache.test/v2/library/small/blobs/sha256%3A{layer.hex}", "Host: cache.test").Says(200).Gives("layer"),
        Rule("An escaped slash in absolute form is no separator either", "RFC 9112 §3.2.2").Asks("GET http://cache.test/v2/library%2Fsmall/manifests/1", "Host: cache.test").Refuses(400, "NAME_INVALID", "library%2Fsmall"),
        Rule("Dots in absolute form are not resolved either", "RFC 9112 §3.2.2").Asks("GET http://cache.test/v2/other/../library/small/manifests/1", "Host: cache.test").Refuses(400, "NAME_INVALID", "other/../library/small"),
        Raw("A target that is no path is refused", "RFC 9112 §3.2", 400, "GET v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        Raw("HTTP/1.1 without Host is refused", "RFC 9112 §3.2", 400, "GET /v2/ HTTP/1.1\r\n\r\n"),
        Raw("Two Host headers are refused", "RFC 9112 §3.2", 400, "GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        Raw("A Host with a space is refused", "RFC 9112 §3.2", 400, "GET /v2/ HTTP/1.1\r\nHost: a b\r\n\r\n"),
        Raw("A Host with a slash is refused", "RFC 9112 §3.2", 400, "GET /v2/ HTTP/1.1\r\nHost: a/../b\r\n\r\n"),
        Raw("A request line that is none is refused", "RFC 9112 §3", 400, "HELLO\r\n\r\n"),
        Raw("A request line without a target is refused", "RFC 9112 §3", 400, "GET HTTP/1.1\r\nHost: x\r\n\r\n"),
        Raw("A request line without a version is refused", "RFC 9112 §3", 400, "GET /v2/\r\nHost: x\r\n\r\n"),
        Raw("A method that is no token is refused", "RFC 9110 §9.1", 400, "G\"T /v2/ HTTP/1.1\r\nHost: x\r\n\r\n"),
        Raw("Another version of HTTP is refused as that", "RFC 9110 §15.6.6", 505, "GET /v2/ HTTP/3.0\r\nHost: x\r\n\r\n"),
        Raw("A NUL in the target is refused", "RFC 9112 §3.2", 400, "GET /v2/\0 HTTP/1.1\r\nHost: x\r\n\r\n"),
        Raw("An escaped NUL in the target is refused", Ours, 400, "GET /v2/library/small%00/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        Raw("A header without a colon is refused", "RFC 9112 §5", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nNonsense\r\n\r\n"),
        Raw("A space before a header's colon is refused", "RFC 9112 §5.1", 400, "GET /v2/ HTTP/1.1\r\nHost : x\r\n\r\n"),
        Raw("A folded header is refused", "RFC 9112 §5.2", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n"),
        Raw("A header's name with a space is refused", "RFC 9110 §5.1", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n"),
        Raw("A NUL in a header is refused", "RFC 9110 §5.5", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nX-A: \0\r\n\r\n"),
        Raw("Two lengths that differ are refused", "RFC 9112 §6.3", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
        Raw("A length that is no number is refused", "RFC 9112 §6.3", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"),
        Raw("A negative length is refused", "RFC 9112 §6.3", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"),
        Raw("A coding other than chunked last is refused", "RFC 9112 §6.1", 400, "GET /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
        Rule("A request with a length and chunks is the last of its connection, so that it smuggles no other", "RFC 9112 §6.1").Does("`GET /v2/` with `Content-Length: 40` and `Transfer-Encoding: chunked`, and a request behind the last chunk", "one answer, then the connection closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes("GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2/Hidden HTTP/1.1\r\nHost: x\r\n\r\n"), false, false);
            Assert.True(answers[0].Status is 200 or 400, Lab.Show(answers[0]));
            Assert.Equal((0, true), (answers[1].Status, closed));
        }),
        Rule("A body whose chunks can't be read ends its connection", "RFC 9112 §7.1").Does("`GET /v2/` with `Transfer-Encoding: chunked` and a chunk of length `ZZ`, and a request behind it", "one answer, then the connection closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes("GET /v2/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\nGET /v2/Hidden HTTP/1.1\r\nHost: x\r\n\r\n"), false, false);
            Assert.True(answers[0].Status is 200 or 400, Lab.Show(answers[0]));
            Assert.Equal((0, true), (answers[1].Status, closed));
        }),
        Rule("Lines that end in LF alone are read", "RFC 9112 §2.2").Does("`GET /v2/ HTTP/1.1`, `Host`, `Connection: close`, each ended by LF", "`200`", async lab =>
            Assert.Equal([200], await StatusesAsync(lab, "GET /v2/ HTTP/1.1\nHost: x\nConnection: close\n\n", 1))),
        Raw("A target in absolute form of another host than Host is refused", "RFC 9112 §3.2.2", 400, "GET http://other.test/v2/ HTTP/1.1\r\nHost: cache.test\r\n\r\n"),
        Raw("A letter beyond ASCII in the target, not escaped, is refused", "RFC 9112 §3.2", 400, "GET /v2/caf\u00e9/manifests/1 HTTP/1.1\r\nHost: x\r\n\r\n"),
        Rule("An empty Host is allowed", "RFC 9110 §7.2").Asks("GET /v2/", "Host:").Says(200),
        Rule("A Host that is an IPv6 address is allowed", "RFC 9110 §7.2").Asks($"GET {Small}", "Host: [::1]:5000").Says(200).Gives("small"),
        Rule("The names of headers are compared without case", "RFC 9110 §5.1").Asks($"GET {Small}", "IF-NONE-MATCH: \"{small}\"").Says(304),
        Rule("Headers that nobody knows do no harm", "RFC 9110 §5.1").Asks($"GET {Small}", "X-Forwarded-For: 1.2.3.4", "Cookie: a=b", "Forwarded: for=1.2.3.4", "X-HTTP-Method-Override: DELETE").Says(200).Gives("small"),
        Rule("A wish to upgrade is passed over", "RFC 9110 §7.8").Asks($"GET {Small}", "Upgrade: h2c, websocket", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: close, Upgrade, HTTP2-Settings").Says(200).Gives("small"),
        Rule("A request may come byte by byte", "RFC 9112 §2.2").Does($"`GET {Small}`, each byte in a packet of its own", "`200`", async lab =>
        {
            using var client = new TcpClient("127.0.0.1", lab.Entrepot.Port) { NoDelay = true };
            foreach (var one in Encoding.ASCII.GetBytes(Get(Small, "Connection: close"))) await client.GetStream().WriteAsync(new[] { one });
            using var reader = new StreamReader(client.GetStream());
            Assert.StartsWith("HTTP/1.1 200 ", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        }),
        Rule("An empty line before a request is passed over", "RFC 9112 §2.2").Does("CR LF, then `GET /v2/`", "`200`", async lab =>
            Assert.Equal([200], await StatusesAsync(lab, "\r\n" + Get("/v2/", "Connection: close"), 1))),
        Rule("TLS offers HTTP/2", "RFC 7301; RFC 9113 §3.2").Does("a TLS handshake that offers `h2` and `http/1.1`", "`h2`", async lab =>
            Assert.Equal("h2", await NegotiateAsync(lab, SslApplicationProtocol.Http2, SslApplicationProtocol.Http11))),
        Rule("TLS takes HTTP/1.1 from who knows no other", "RFC 7301").Does("a TLS handshake that offers `http/1.1`", "`http/1.1`", async lab =>
            Assert.Equal("http/1.1", await NegotiateAsync(lab, SslApplicationProtocol.Http11))),
        Http2("A manifest is the same over HTTP/2", Small, null, HttpStatusCode.OK, (lab, answer, body) =>
        {
            Assert.Equal(lab.Bytes("small"), body);
            Assert.Equal(MediaTypes.OciManifest, answer.Content.Headers.NonValidated["Content-Type"].ToString());
            Assert.Equal(lab.Fill("{small}"), answer.Headers.NonValidated["Docker-Content-Digest"].ToString());
            Assert.Equal("registry/2.0", answer.Headers.NonValidated["Docker-Distribution-Api-Version"].ToString());
        }),
        Http2("A blob is the same over HTTP/2", "/v2/library/small/blobs/{layer}", null, HttpStatusCode.OK, (lab, answer, body) =>
        {
            Assert.Equal(lab.Bytes("layer"), body);
            Assert.Equal(10_000, answer.Content.Headers.ContentLength);
        }),
        Http2("A part is the same over HTTP/2", "/v2/library/small/blobs/{layer}", "bytes=5-9", HttpStatusCode.PartialContent, (lab, answer, body) =>
        {
            Assert.Equal(lab.Bytes("layer")[5..10], body);
            Assert.Equal("bytes 5-9/10000", answer.Content.Headers.ContentRange!.ToString());
        }),
        Http2("An error is the same over HTTP/2", "/v2/Bad/manifests/1", null, HttpStatusCode.BadRequest, (_, _, body) => Assert.Contains("NAME_INVALID", Encoding.UTF8.GetString(body), StringComparison.Ordinal)),
        Rule("Forty requests over one HTTP/2 connection are answered each with its own", "RFC 9113 §5").Does("40 times `GET` at once of manifests and blobs, one connection", "`200` and the right bytes each", async lab =>
        {
            using var client = Client(lab);
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => client.GetByteArrayAsync(new Uri(lab.Https, lab.Fill(i % 2 == 0 ? Small : "/v2/library/small/blobs/{layer}")))));
            Assert.All(answers.Select((bytes, i) => (bytes, i)), pair => Assert.Equal(lab.Bytes(pair.i % 2 == 0 ? "small" : "layer"), pair.bytes));
        }),
        Rule("HTTP/2 without TLS is not spoken", "RFC 9113 §3.3").Does("the preface of HTTP/2 to the plain port", "no `200`, the connection closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), false);
            Assert.NotEqual(200, answers[0].Status);
            Assert.True(closed);
        }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Http(RuleName rule) => All.CheckAsync(rule, lab);

    private static string Get(string path, params string[] headers) => $"GET {path} HTTP/1.1\r\nHost: x\r\n{string.Concat(headers.Select(header => header + "\r\n"))}\r\n";

    private static async Task<IReadOnlyList<int>> StatusesAsync(Lab lab, string requests, int count) =>
        [.. (await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.ASCII.GetBytes(requests), new bool[count])).Answers.Select(answer => answer.Status)];

    private static Fact Kept(string rule, string source, string request, int status) => Rule(rule, source)
        .Does($"{Shown(request)}<br>then `GET /v2/` on the same connection", $"`{status}`, then `200`", async lab => Assert.Equal([status, 200], await StatusesAsync(lab, lab.Fill(request) + Get("/v2/", "Connection: close"), 2)));

    private static string Shown(string request) =>
        string.Join("<br>", request.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(line => $"`{line.Replace("\0", "\\0", StringComparison.Ordinal)}`"));

    private static Fact Raw(string rule, string source, int status, string request) => Rule(rule, source)
        .Does(Shown(request), $"`{status}`, the connection closed", async lab =>
        {
            var (answers, closed) = await RawHttp.SendManyAsync(lab.Entrepot.Port, Encoding.Latin1.GetBytes(request), false);
            Assert.Equal((status, true), (answers[0].Status, closed));
        });

    private static Fact Http2(string rule, string path, string? range, HttpStatusCode status, Action<Lab, HttpResponseMessage, byte[]> check) => Rule(rule, "RFC 9113 §8")
        .Does($"`GET {path}`{(range is null ? "" : $", `Range: {range}`")} over TLS and HTTP/2", $"`{(int)status}` as over HTTP/1.1", async lab =>
        {
            using var client = Client(lab);
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(lab.Https, lab.Fill(path))) { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
            if (range is not null) request.Headers.TryAddWithoutValidation("Range", range);
            using var answer = await client.SendAsync(request);
            Assert.Equal((status, HttpVersion.Version20), (answer.StatusCode, answer.Version));
            check(lab, answer, await answer.Content.ReadAsByteArrayAsync());
        });

    private static HttpClient Client(Lab lab) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        SslOptions = new SslClientAuthenticationOptions { TargetHost = "cache.test", RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=cache.test" },
    })
    {
        DefaultRequestVersion = HttpVersion.Version20,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };

    private static async Task<string> NegotiateAsync(Lab lab, params SslApplicationProtocol[] offered)
    {
        using var client = new TcpClient("127.0.0.1", lab.Https.Port);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "cache.test",
            ApplicationProtocols = [.. offered],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject == "CN=cache.test",
        });
        return tls.NegotiatedApplicationProtocol.ToString();
    }
}
