using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What the client is told when the upstream refuses, fails or talks nonsense, and nothing is held.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class UpstreamErrorFacts(Lab lab)
{
    private const string Unauthorized = "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"the upstream's own words\"}]}";

    internal static readonly Section All = new(
        "Errors of the upstream, nothing held",
        Manifest("404 of the upstream is 404", 404, 404, "MANIFEST_UNKNOWN"),
        Manifest("410 of the upstream is 404", 410, 404, "MANIFEST_UNKNOWN"),
        Manifest("401 of the upstream is no question to the client", 401, 403, "DENIED"),
        Manifest("403 of the upstream is 403", 403, 403, "DENIED"),
        Manifest("500 of the upstream is 503, never 404", 500, 503, "UNAVAILABLE"),
        Manifest("502 of the upstream is 503", 502, 503, "UNAVAILABLE"),
        Manifest("503 of the upstream is 503", 503, 503, "UNAVAILABLE"),
        Manifest("504 of the upstream is 503", 504, 503, "UNAVAILABLE"),
        Manifest("A status that no registry sends is 503", 418, 503, "UNAVAILABLE"),
        Manifest("451 of the upstream is not a missing image", 451, 503, "UNAVAILABLE"),
        Manifest("429 of the upstream is 429", 429, 429, "TOOMANYREQUESTS"),
        Manifest("400 with a code that says there is no such name is 404", 400, 404, "MANIFEST_UNKNOWN", "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}"),
        Manifest("400 without a code is 503", 400, 503, "UNAVAILABLE", "bad request"),
        Blob("404 for a blob is BLOB_UNKNOWN", 404, 404, "BLOB_UNKNOWN"),
        Blob("401 for a blob is 403", 401, 403, "DENIED"),
        Blob("403 for a blob is 403", 403, 403, "DENIED"),
        Blob("429 for a blob is 429", 429, 429, "TOOMANYREQUESTS"),
        Blob("500 for a blob is 503", 500, 503, "UNAVAILABLE"),
        Tags("404 for a list of tags is NAME_UNKNOWN", 404, 404, "NAME_UNKNOWN"),
        Tags("403 for a list of tags is 403", 403, 403, "DENIED"),
        Tags("429 for a list of tags is 429", 429, 429, "TOOMANYREQUESTS"),
        Tags("503 for a list of tags is 503", 503, 503, "UNAVAILABLE"),
        Rule("Retry-After of the upstream's 429 is passed on", "RFC 9110 §10.2.3")
            .Does("the upstream answers `429` with `Retry-After: 17`", "`429`, `Retry-After` of 10 to 17", async lab =>
            {
                var answer = await lab.ScriptedManifestAsync("retry-after", new MemoryAnswer(429, [], null, ("Retry-After", "17")));
                Assert.Equal(429, answer.Status);
                Assert.InRange(int.Parse(answer.Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture), 10, 17);
            }),
        Rule("429 always says when to come back", "RFC 6585 §4")
            .Does("the upstream answers `429` without `Retry-After`", "`429`, `Retry-After` of at least 1", async lab =>
                Assert.True(int.Parse((await lab.ScriptedManifestAsync("retry-none", new MemoryAnswer(429, [], null))).Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture) >= 1)),
        Rule("503 always says when to come back", "RFC 9110 §15.6.4")
            .Does("the upstream answers `503`", "`503`, `Retry-After` of at least 1", async lab =>
                Assert.True(int.Parse((await lab.ScriptedManifestAsync("retry-503", new MemoryAnswer(503, [], null))).Header("Retry-After")!, System.Globalization.CultureInfo.InvariantCulture) >= 1)),
        Rule("404, 403 and 502 do not say when to come back", "RFC 9110 §10.2.3")
            .Does("the upstream answers `404`, `403`, HTML", "no `Retry-After`", async lab =>
            {
                Assert.Null((await lab.ScriptedManifestAsync("retry-404", new MemoryAnswer(404, [], null))).Header("Retry-After"));
                Assert.Null((await lab.ScriptedManifestAsync("retry-403", new MemoryAnswer(403, [], null))).Header("Retry-After"));
                Assert.Null((await lab.ScriptedManifestAsync("retry-502", new MemoryAnswer(200, "<html/>"u8.ToArray(), "text/html"))).Header("Retry-After"));
            }),
        Rule("The upstream's challenge is not passed on", "RFC 9110 §11.6.1")
            .Does("the upstream answers `401` with `WWW-Authenticate: Basic`", "`403`, no `WWW-Authenticate`", async lab =>
            {
                var answer = await lab.ScriptedManifestAsync("challenge", new MemoryAnswer(401, Encoding.UTF8.GetBytes(Unauthorized), "application/json", ("WWW-Authenticate", "Basic realm=\"x\"")));
                Assert.Equal((403, (string?)null), (answer.Status, answer.Header("WWW-Authenticate")));
            }),
        Rule("The upstream's own words are not passed on", Ours)
            .Does("the upstream's error has the message `the upstream's own words`", "a message of our own, with upstream, repository and status", async lab =>
            {
                var (_, message) = Always.Error(await lab.ScriptedManifestAsync("words", new MemoryAnswer(403, Encoding.UTF8.GetBytes(Unauthorized), "application/json")));
                Assert.DoesNotContain("own words", message, StringComparison.Ordinal);
                Assert.Contains("errors.test", message, StringComparison.Ordinal);
                Assert.Contains("scripted/words", message, StringComparison.Ordinal);
                Assert.Contains("403", message, StringComparison.Ordinal);
            }),
        Rule("The upstream's cookies and caching are not passed on", "RFC 9110 §7.6")
            .Does("the upstream's manifest comes with `Set-Cookie`, `Cache-Control: no-store`, `X-Anything`, `ETag`", "`200` without them, with our `ETag`", async lab =>
            {
                var bytes = lab.Bytes("small");
                var answer = await lab.ScriptedManifestAsync("cookies", new MemoryAnswer(
                    200, bytes, "application/vnd.oci.image.manifest.v1+json", ("Set-Cookie", "a=b"), ("Cache-Control", "no-store"), ("X-Anything", "1"), ("ETag", "\"theirs\""), ("Link", "</x>; rel=\"next\"")));
                Assert.Equal((200, lab.Fill("\"{small}\"")), (answer.Status, answer.Header("ETag")));
                foreach (var name in new[] { "Set-Cookie", "X-Anything", "Link" }) Assert.Null(answer.Header(name));
                Assert.DoesNotContain("no-store", answer.Header("Cache-Control") ?? "", StringComparison.Ordinal);
            }),
        Rule("A web page in place of a blob is the upstream's fault", PullBlobs)
            .Does("the upstream answers a blob with `200` and HTML", "`502`, `DIGEST_INVALID`", async lab =>
            {
                var answer = await lab.ScriptedBlobAsync("page", new MemoryAnswer(200, "<html/>"u8.ToArray(), "text/html"));
                Assert.Equal((502, "DIGEST_INVALID"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("A manifest whose bytes are not those of the digest asked for is the upstream's fault", PullManifests)
            .Does("the upstream answers a digest with another manifest", "`502`, `MANIFEST_INVALID`, both digests in the message", async lab =>
            {
                var wanted = "sha256:" + new string('9', 64);
                lab.Registry.Script($"/v2/scripted/other/manifests/{wanted}", new MemoryAnswer(200, lab.Bytes("small"), "application/vnd.oci.image.manifest.v1+json"));
                var (code, message) = Always.Error(await lab.GetAsync($"/v2/errors.test/scripted/other/manifests/{wanted}"));
                Assert.Equal("MANIFEST_INVALID", code);
                Assert.Contains(wanted, message, StringComparison.Ordinal);
                Assert.Contains(lab.Fill("{small}"), message, StringComparison.Ordinal);
            }),
        Rule("A manifest whose Docker-Content-Digest is not the one asked for is the upstream's fault", PullManifests)
            .Does("the upstream names another digest in its header", "`502`, `MANIFEST_INVALID`", async lab =>
            {
                lab.NewRepository("errors/header");
                lab.Upstream.Inject(Fault.WrongDigestHeader(), "/v2/errors/header/manifests/sha256:");
                var answer = await lab.GetAsync("/v2/errors/header/manifests/" + MemoryRepository.DigestOf(lab.NewRepository("errors/header").Manifest, sha512: false));
                Assert.Equal((502, "MANIFEST_INVALID"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("A manifest that ends short is not served", PullManifests)
            .Does("the upstream closes in the middle of a manifest, always", "`503`, `UNAVAILABLE`", async lab =>
            {
                var (_, _, digest) = lab.NewRepository("errors/short");
                lab.Upstream.Inject(Fault.Truncate(100), "/v2/errors/short/manifests/");
                var answer = await lab.GetAsync("/v2/errors/short/manifests/" + digest);
                Assert.Equal((503, "UNAVAILABLE"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("A connection that is closed without an answer is 503", "RFC 9110 §15.6.4")
            .Does("the upstream takes the request and closes", "`503`, `UNAVAILABLE`", async lab =>
            {
                lab.NewRepository("errors/drop");
                lab.Upstream.Inject(Fault.Drop(), "/v2/errors/drop/");
                var answer = await lab.GetAsync("/v2/errors/drop/manifests/1");
                Assert.Equal((503, "UNAVAILABLE"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("An upstream that says nothing is 503 within the time for headers", "containerd, which waits 30 s for headers")
            .Does("the upstream takes the request and is silent; this Entrepot waits 2 s for headers", "`503`, `Retry-After`, in less than 8 s", async lab =>
            {
                lab.NewRepository("errors/silent");
                using var fault = new Healing(lab.Upstream.Inject(Fault.HangBeforeHeaders(), "/v2/errors/silent/"));
                var entrepot = await lab.OnceAsync("hasty", () => lab.StartAnotherAsync(settings => settings.Set("Api", new Dictionary<string, object?> { ["HeaderTimeout"] = "2s" })));
                var began = TestSupport.Running.TestClock.Now;
                var answer = await lab.SendToAsync(entrepot.Port, "GET /v2/errors/silent/manifests/1");
                Assert.Equal((503, "UNAVAILABLE"), (answer.Status, Always.Error(answer).Code));
                Assert.NotNull(answer.Header("Retry-After"));
                Assert.InRange(TestSupport.Running.TestClock.Now - began, TimeSpan.Zero, TimeSpan.FromSeconds(8));
            }),
        Rule("An upstream that is down is 503, never 404", "RFC 9110 §15.6.4")
            .At("an Entrepot whose upstream is down", DownAsync).Asks("GET /v2/library/small/manifests/1").Refuses(503, "UNAVAILABLE", "lab.test")
            .HasLike("Retry-After", "at least 1", value => int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) >= 1),
        Rule("The base answers although the upstream is down", Support).At("an Entrepot whose upstream is down", DownAsync).Asks("GET /v2/").Says(200),
        Rule("A blob is 503 while the upstream is down", PullBlobs).At("an Entrepot whose upstream is down", DownAsync).Asks("GET /v2/library/small/blobs/{layer}").Refuses(503, "UNAVAILABLE", "lab.test"),
        Rule("HEAD of a blob is 503 without a body while the upstream is down", CheckContent).At("an Entrepot whose upstream is down", DownAsync).Asks("HEAD /v2/library/small/blobs/{config}").Says(503).GivesNothing(),
        Rule("A list of tags is 503 while the upstream is down", ListTags).At("an Entrepot whose upstream is down", DownAsync).Asks("GET /v2/library/small/tags/list").Refuses(503, "UNAVAILABLE", "lab.test"),
        Rule("A mistake of the client is told although the upstream is down", PullManifests).At("an Entrepot whose upstream is down", DownAsync).Asks("GET /v2/Library/manifests/1").Refuses(400, "NAME_INVALID", "Library"),
        Rule("HEAD of an error of the upstream has the headers of GET", CheckContent).Asks("GET /v2/errors.test/scripted/no-such/manifests/1").Says(404).AlikeOnHead());

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Errors_of_the_upstream(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Manifest(string rule, int upstream, int status, string code, string body = "") => Rule(rule, ErrorCodes)
        .Does($"the upstream answers a manifest with `{upstream}`{(body.Length > 0 ? $" and `{body}`" : "")}", $"`{status}`, `{code}`", async lab =>
            Said(await lab.ScriptedManifestAsync($"m{upstream}-{body.Length}", new MemoryAnswer(upstream, Encoding.UTF8.GetBytes(body), "application/json")), status, code));

    private static Fact Blob(string rule, int upstream, int status, string code) => Rule(rule, ErrorCodes)
        .Does($"the upstream answers a blob with `{upstream}`", $"`{status}`, `{code}`", async lab => Said(await lab.ScriptedBlobAsync($"b{upstream}", new MemoryAnswer(upstream, [], null)), status, code));

    private static Fact Tags(string rule, int upstream, int status, string code) => Rule(rule, ErrorCodes)
        .Does($"the upstream answers a list of tags with `{upstream}`", $"`{status}`, `{code}`", async lab =>
        {
            lab.Registry.Script($"/v2/scripted/t{upstream}/tags/list", new MemoryAnswer(upstream, [], null));
            Said(await lab.GetAsync($"/v2/errors.test/scripted/t{upstream}/tags/list"), status, code);
        });

    private static void Said(RawResponse answer, int status, string code)
    {
        var (said, message) = Always.Error(answer);
        Assert.True((status, code) == (answer.Status, said), Lab.Show(answer));
        Assert.Contains("scripted/", message, StringComparison.Ordinal);
    }

    private static async Task<int> DownAsync(Lab lab) =>
        (await lab.OnceAsync("down", () => lab.StartAnotherAsync(upstream: new Uri($"http://127.0.0.1:{TestSupport.Running.FreePort.Next()}")))).Port;

    private sealed class Healing(InjectedFault fault) : IDisposable
    {
        public void Dispose() => fault.Heal();
    }
}
