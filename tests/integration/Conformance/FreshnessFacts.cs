using System.Globalization;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What an answer says about how fresh it is: X-Cache, Age, Warning, Cache-Control.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class FreshnessFacts(Lab lab)
{
    private const string Age = "RFC 9111 §5.1";

    internal static readonly Section All = new(
        "Freshness",
        Rule("The first pull of a tag is a MISS of age 0, the next a HIT", Ours).Does("`GET` a cold tag twice", "`MISS`, `Age: 0`, then `HIT`", async lab =>
        {
            lab.NewRepository("fresh/tag");
            var first = await lab.GetAsync("/v2/fresh/tag/manifests/1");
            Assert.Equal(("MISS", "0"), (first.Header("X-Cache"), first.Header("Age")));
            Assert.Equal("HIT", (await lab.GetAsync("/v2/fresh/tag/manifests/1")).Header("X-Cache"));
        }),
        Rule("The first pull of a manifest by digest is a MISS, the next a HIT", Ours).Does("`GET` a cold digest twice", "`MISS`, then `HIT`; no `Age`", async lab =>
        {
            var path = "/v2/fresh/digest/manifests/" + lab.NewRepository("fresh/digest").Digest;
            var answers = new[] { await lab.GetAsync(path), await lab.GetAsync(path) };
            Assert.Equal(["MISS", "HIT"], answers.Select(answer => answer.Header("X-Cache")));
            Assert.All(answers, answer => Assert.Null(answer.Header("Age")));
        }),
        Rule("HEAD of a cold tag is a MISS, and GET behind it a HIT", Ours).Does("`HEAD`, then `GET` of a cold tag", "`MISS`, then `HIT`", async lab =>
        {
            lab.NewRepository("fresh/head");
            Assert.Equal("MISS", (await lab.HeadAsync("/v2/fresh/head/manifests/1")).Header("X-Cache"));
            Assert.Equal("HIT", (await lab.GetAsync("/v2/fresh/head/manifests/1")).Header("X-Cache"));
        }),
        Rule("Who joins a running fetch is COALESCED", Ours).Does("two `GET` of a cold tag of a slow upstream at once", "one `MISS`, one `COALESCED`", async lab =>
        {
            lab.NewRepository("fresh/joined");
            lab.Upstream.Latency = TimeSpan.FromSeconds(1);
            try
            {
                var answers = await Task.WhenAll(lab.GetAsync("/v2/fresh/joined/manifests/1"), lab.GetAsync("/v2/fresh/joined/manifests/1"));
                Assert.Equal(["COALESCED", "MISS"], answers.Select(answer => answer.Header("X-Cache")).Order(StringComparer.Ordinal));
            }
            finally
            {
                lab.Upstream.Latency = TimeSpan.Zero;
            }
        }),
        Rule("A manifest by digest has no age and no warning", Age).Asks("GET /v2/library/small/manifests/{small}").Says(200).HasNo("Age").HasNo("Warning").HasLike("X-Cache", "`HIT` or `MISS`", value => value is "HIT" or "MISS"),
        Rule("A manifest by tag has an age in whole seconds", Age).Asks("GET /v2/library/small/manifests/1").Says(200).HasLike("Age", "a number of seconds", value => value.All(char.IsAsciiDigit)).HasNo("Warning"),
        Rule("The age of a tag grows", Age).Does("`GET` a tag, and again until its age is 1 or more", "`Age` of 1 or more after a second", async lab =>
        {
            lab.NewRepository("fresh/grows");
            await lab.GetAsync("/v2/fresh/grows/manifests/1");
            await Eventually.Async(async () => int.Parse((await lab.GetAsync("/v2/fresh/grows/manifests/1")).Header("Age")!, CultureInfo.InvariantCulture) >= 1, TimeSpan.FromSeconds(20), "the age to be 1");
        }),
        Rule("What the upstream does not have is a MISS, and remembered a HIT", Ours).Does("`GET` a tag that is not there, twice", "`404` twice: `MISS`, then `HIT`; upstream: asked once", async lab =>
        {
            lab.NewRepository("fresh/negative");
            var answers = new[] { await lab.GetAsync("/v2/fresh/negative/manifests/none"), await lab.GetAsync("/v2/fresh/negative/manifests/none") };
            Assert.Equal([404, 404], answers.Select(answer => answer.Status));
            Assert.Equal(["MISS", "HIT"], answers.Select(answer => answer.Header("X-Cache")));
            Assert.Single(lab.Upstream.Log.Matching("/v2/fresh/negative/manifests/none"));
        }),
        Rule("A blob that the upstream does not have is a MISS, and remembered a HIT", Ours).Does("`GET` a blob that is not there, twice", "`404` twice: `MISS`, then `HIT`", async lab =>
        {
            lab.NewRepository("fresh/negative-blob");
            var path = "/v2/fresh/negative-blob/blobs/sha256:" + new string('b', 64);
            Assert.Equal([(404, "MISS"), (404, "HIT")], new[] { await lab.GetAsync(path), await lab.GetAsync(path) }.Select(answer => (answer.Status, answer.Header("X-Cache")!)));
        }),
        Rule("A failure of the upstream is a MISS, and remembered a HIT", Ours).Does("`GET` a tag for which the upstream answers `500`, twice", "`503` twice: `MISS`, then `HIT`", async lab =>
        {
            lab.Registry.Script("/v2/fresh/failure/manifests/1", new MemoryAnswer(500, [], null));
            Assert.Equal([(503, "MISS"), (503, "HIT")], new[] { await lab.GetAsync("/v2/fresh/failure/manifests/1"), await lab.GetAsync("/v2/fresh/failure/manifests/1") }.Select(answer => (answer.Status, answer.Header("X-Cache")!)));
        }),
        Rule("A refusal of the upstream is a MISS, and remembered a HIT", Ours).Does("`GET` a tag for which the upstream answers `403`, twice", "`403` twice: `MISS`, then `HIT`", async lab =>
        {
            lab.Registry.Script("/v2/fresh/refusal/manifests/1", new MemoryAnswer(403, [], null));
            Assert.Equal([(403, "MISS"), (403, "HIT")], new[] { await lab.GetAsync("/v2/fresh/refusal/manifests/1"), await lab.GetAsync("/v2/fresh/refusal/manifests/1") }.Select(answer => (answer.Status, answer.Header("X-Cache")!)));
        }),
        Rule("An error is not to be kept by others", "RFC 9111 §4.2.2").Asks("GET /v2/library/small/manifests/not-there").Says(404)
            .That("no `Cache-Control` that lets it be kept", (_, answer) => Assert.DoesNotContain(Fact.Values(answer, "Cache-Control"), value => value.Contains("max-age=3", StringComparison.Ordinal))),
        Rule("A bad name has no X-Cache: nothing was asked for", Ours).Asks("GET /v2/Bad/manifests/2").Says(400).HasNo("X-Cache").HasNo("Age"),
        Rule("A refused push has no X-Cache", Ours).Asks("DELETE /v2/library/small/manifests/2", "Content-Length: 0").Says(405).HasNo("X-Cache"),
        Rule("A path that is no route has no X-Cache", Ours).Asks("GET /v2/no/route").Says(404).HasNo("X-Cache"),
        Rule("The base has no X-Cache and no age", Ours).Asks("GET /v2/").Says(200).HasNo("X-Cache").HasNo("Age"),
        Aging("A tag that has not moved is confirmed by HEAD and is a HIT of age 0", "a held tag whose TTL is over", "`200`, `HIT`, `Age: 0`; upstream: `HEAD`, no `GET`", async (lab, aged) =>
        {
            var path = Held(lab, "confirmed");
            await aged.GetAsync(path);
            aged.Front.Log.Clear();
            var answer = await aged.GetAsync(path);
            Assert.Equal((200, "HIT", "0"), (answer.Status, answer.Header("X-Cache"), answer.Header("Age")));
            Assert.Equal(["HEAD"], aged.Front.Log.Matching("/v2/aging/confirmed/").Select(request => request.Method));
        }),
        Aging("A tag that has moved is followed at once", "a held tag whose TTL is over and that has moved", "`200`, `MISS`, the new digest and bytes", async (lab, aged) =>
        {
            var path = Held(lab, "moved");
            await aged.GetAsync(path);
            var bytes = lab.Contents.Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "moved on");
            var digest = lab.Registry.Repository("aging/moved").AddManifest(bytes, MediaTypes.OciManifest, "1");
            var answer = await aged.GetAsync(path);
            Assert.Equal((200, "MISS", digest), (answer.Status, answer.Header("X-Cache"), answer.Header("Docker-Content-Digest")));
            Assert.Equal(bytes, answer.Body);
        }),
        Aging("The manifest that a tag pointed to is still there by its digest", "a tag that has moved; `GET` its old digest", "`200`, `HIT`", async (lab, aged) =>
        {
            var path = Held(lab, "old");
            var old = (await aged.GetAsync(path)).Header("Docker-Content-Digest");
            lab.Registry.Repository("aging/old").AddManifest(lab.Contents.Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "newer"), MediaTypes.OciManifest, "1");
            await aged.GetAsync(path);
            var answer = await aged.GetAsync("/v2/aging/old/manifests/" + old);
            Assert.Equal((200, "HIT"), (answer.Status, answer.Header("X-Cache")));
        }),
        Stale("A held tag is served stale while the upstream answers 500", "500", Fault.Status(500)),
        Stale("A held tag is served stale while the upstream answers 503", "503", Fault.Status(503)),
        Stale("A held tag is served stale while the upstream answers 429", "429", Fault.Status(429, TimeSpan.FromSeconds(30))),
        Stale("A held tag is served stale while the upstream answers 401", "401", Fault.Status(401)),
        Stale("A held tag is served stale while the upstream answers 403", "403", Fault.Status(403)),
        Stale("A held tag is served stale while the upstream closes connections", "drop", Fault.Drop()),
        Stale("A held tag is served stale while the upstream answers web pages", "html", Fault.Html200()),
        Stale("A held tag is served stale when the upstream is silent", "silent", Fault.HangBeforeHeaders()),
        Aging("A tag that the upstream has deleted is served as it was", "a held tag that the upstream has no more", "`200`, the bytes, `STALE`", async (lab, aged) =>
        {
            var path = Held(lab, "gone");
            var before = await aged.GetAsync(path);
            lab.Registry.Repository("aging/gone").Untag("1");
            var answer = await aged.GetAsync(path);
            Assert.Equal((200, "STALE"), (answer.Status, answer.Header("X-Cache")));
            Assert.Equal(before.Body, answer.Body);
        }),
        Aging("HEAD of a stale tag has the headers of GET, the warning too", "a held tag, the upstream answers `500`", "`HEAD` and `GET` alike: `STALE`, `Warning`", async (lab, aged) =>
        {
            var path = Held(lab, "stale-head");
            await aged.GetAsync(path);
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/stale-head/");
            var (get, head) = (await aged.GetAsync(path), await aged.SendAsync("HEAD " + path));
            fault.Heal();
            foreach (var name in new[] { "X-Cache", "Warning", "Content-Length", "Content-Type", "ETag", "Docker-Content-Digest" }) Assert.Equal((name, get.Header(name)), (name, head.Header(name)));
            Assert.Equal("STALE", head.Header("X-Cache"));
        }),
        Aging("304 of a stale tag says that it is stale", "a held tag, the upstream answers `500`, `If-None-Match` of its digest", "`304`, `STALE`, `Warning`", async (lab, aged) =>
        {
            var path = Held(lab, "stale-304");
            var digest = (await aged.GetAsync(path)).Header("Docker-Content-Digest");
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/stale-304/");
            var answer = await aged.GetAsync(path, $"If-None-Match: \"{digest}\"");
            fault.Heal();
            Assert.Equal((304, "STALE"), (answer.Status, answer.Header("X-Cache")));
            AssertWarning(answer);
        }),
        Aging("The age of a stale tag is counted from when it was confirmed", "a held tag, the upstream answers `500` for more than a second", "`Age` grows", async (lab, aged) =>
        {
            var path = Held(lab, "stale-age");
            await aged.GetAsync(path);
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/stale-age/");
            await Eventually.Async(async () => await aged.GetAsync(path) is var answer && answer.Header("X-Cache") == "STALE" && int.Parse(answer.Header("Age")!, CultureInfo.InvariantCulture) >= 1, TimeSpan.FromSeconds(20), "the age to grow");
            fault.Heal();
        }),
        Aging("A held digest needs no upstream", "a held digest, the upstream answers `500`", "`200`, `HIT`, no `Warning`; upstream: not asked", async (lab, aged) =>
        {
            var digest = (await aged.GetAsync(Held(lab, "digest"))).Header("Docker-Content-Digest");
            aged.Front.Log.Clear();
            var answer = await aged.GetAsync("/v2/aging/digest/manifests/" + digest);
            Assert.Equal((200, "HIT", (string?)null), (answer.Status, answer.Header("X-Cache"), answer.Header("Warning")));
            Assert.Empty(aged.Front.Log.Matching("/v2/aging/digest/"));
        }),
        Aging("A list of tags is served stale with a warning", "a held list, the upstream answers `500`", "`200`, the list, `STALE`, `Warning: 299 - \"stale tag list\"`", async (lab, aged) =>
        {
            Held(lab, "list");
            await aged.GetAsync("/v2/aging/list/tags/list");
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/list/");
            var answer = await aged.GetAsync("/v2/aging/list/tags/list");
            fault.Heal();
            Assert.Equal((200, "STALE"), (answer.Status, answer.Header("X-Cache")));
            Assert.Equal(["1"], TagListFacts.Tags(answer));
            AssertWarning(answer);
        }),
        Aging("Without a held list the tags that were pulled are listed, with a warning", "a held tag and no list, the upstream answers `500`", "`200`, that tag, `STALE`, `Warning`", async (lab, aged) =>
        {
            await aged.GetAsync(Held(lab, "pulled"));
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/pulled/");
            var answer = await aged.GetAsync("/v2/aging/pulled/tags/list");
            fault.Heal();
            Assert.Equal((200, "STALE"), (answer.Status, answer.Header("X-Cache")));
            Assert.Equal(["1"], TagListFacts.Tags(answer));
            AssertWarning(answer);
        }),
        Aging("Referrers of a held image are served stale with a warning", "held image and referrers, the upstream answers `500`", "`200`, `STALE`, `Warning`", async (lab, aged) =>
        {
            var image = await aged.GetAsync(Held(lab, "referrers"));
            var path = $"/v2/aging/referrers/referrers/{image.Header("Docker-Content-Digest")}";
            await aged.GetAsync(path);
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/referrers/");
            var answer = await aged.GetAsync(path);
            fault.Heal();
            Assert.Equal((200, "STALE"), (answer.Status, answer.Header("X-Cache")));
            AssertWarning(answer);
        }),
        Aging("A tag that was never held is 503 while the upstream fails, never 404", "a cold tag, the upstream answers `500`", "`503`, `UNAVAILABLE`", async (lab, aged) =>
        {
            var path = Held(lab, "cold");
            var fault = aged.Front.Inject(Fault.Status(500), "/v2/aging/cold/");
            var answer = await aged.GetAsync(path);
            fault.Heal();
            Assert.Equal((503, "UNAVAILABLE"), (answer.Status, Always.Error(answer).Code));
        }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Freshness(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Aging(string rule, string what, string seen, Func<Lab, Aged, Task> story) => Rule(rule, "RFC 9111 §4.2.4; Entrepot")
        .Does("`TagTtl` 0: " + what, seen, async lab => await story(lab, new Aged(lab, await AgedAsync(lab))));

    private static Fact Stale(string rule, string name, Fault fault) => Aging(rule, "a held tag, and that", "`200`, the bytes, `STALE`, `Age`, `Warning: 299 - \"…\"`", async (lab, aged) =>
    {
        var path = Held(lab, name);
        var before = await aged.GetAsync(path);
        var injected = aged.Front.Inject(fault, $"/v2/aging/{name}/");
        var answer = await aged.GetAsync(path);
        injected.Heal();
        Assert.True((200, "STALE") == (answer.Status, answer.Header("X-Cache")), Lab.Show(answer));
        Assert.Equal(before.Body, answer.Body);
        Assert.NotNull(answer.Header("Age"));
        AssertWarning(answer);
    });

    private static string Held(Lab lab, string name)
    {
        lab.NewRepository("aging/" + name);
        return $"/v2/aging/{name}/manifests/1";
    }

    /// <summary>As RFC 7234 §5.5 and the OCI specification write it: code 299, an unknown agent, a quoted text, no date.</summary>
    private static void AssertWarning(RawResponse answer) => Assert.Matches("^299 - \"[^\"\\\\]{1,4000}\"$", Assert.Single(Fact.Values(answer, "Warning")));

    private static Task<EntrepotProcess> AgedAsync(Lab lab) => lab.OnceAsync("aged", () => lab.StartAnotherAsync(settings => settings.Add(EntrepotSettings.DefaultUpstream, lab.Upstream.Url, ("TagTtl", "0s"))));

    /// <summary>An Entrepot in which every tag is due at once.</summary>
    private sealed record Aged(Lab Lab, EntrepotProcess Entrepot)
    {
        public UpstreamFront Front => Lab.Upstream;

        public Task<RawResponse> GetAsync(string path, params string[] headers) => SendAsync(["GET " + path, .. headers]);

        public Task<RawResponse> SendAsync(params string[] lines) => Lab.SendToAsync(Entrepot.Port, lines);
    }
}
