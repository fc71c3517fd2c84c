using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What refers to a digest. The upstream lists five referrers of the small image, two in a page.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class ReferrersFacts(Lab lab)
{
    private const string Path = "GET /v2/referrers/api/referrers/{small}";

    internal static readonly Section All = new(
        "Referrers",
        Lists("Referrers are an index of descriptors, all pages of the upstream in one", "", "1", "2", "3", "4", "5").Has("Content-Type", MediaTypes.OciIndex),
        Rule("The index of referrers says its version and type", ListReferrers).Asks(Path).Says(200).GivesJson($"`schemaVersion` 2, `mediaType` `{MediaTypes.OciIndex}`", (_, index) =>
            Assert.Equal((2, MediaTypes.OciIndex), (index.GetProperty("schemaVersion").GetInt32(), index.GetProperty("mediaType").GetString()))),
        Rule("Descriptors keep artifact type, size and annotations", ListReferrers).Asks(Path).Says(200).GivesJson("the first descriptor as the upstream has it", (_, index) =>
            Assert.True(JsonNode.DeepEquals(Descriptor("1", "application/vnd.example.sig"), JsonNode.Parse(index.GetProperty("manifests")[0].GetRawText())))),
        Rule("Without a filter none is said to be applied", ListReferrers).Asks(Path).Says(200).HasNo("OCI-Filters-Applied"),
        Lists("artifactType picks the referrers of that type", "?artifactType=application/vnd.example.sbom", "2", "4").Has("OCI-Filters-Applied", "artifactType"),
        Lists("An escaped artifactType is that type", "?artifactType=application%2Fvnd.example.sbom", "2", "4").Has("OCI-Filters-Applied", "artifactType"),
        Lists("An artifactType that nothing has gives an empty index, filtered", "?artifactType=application/none").Has("OCI-Filters-Applied", "artifactType"),
        Lists("A descriptor without artifact type is in no filtered list", "?artifactType=application/vnd.example.sig", "1", "5").Has("OCI-Filters-Applied", "artifactType"),
        Lists("An empty artifactType filters nothing", "?artifactType=", "1", "2", "3", "4", "5").HasNo("OCI-Filters-Applied"),
        Lists("Half an artifact type matches nothing", "?artifactType=application/vnd.example").Has("OCI-Filters-Applied", "artifactType"),
        Rule("HEAD of referrers has the headers of GET", CheckContent).Asks(Path).Says(200).AlikeOnHead(),
        Rule("HEAD of filtered referrers has the headers of GET", CheckContent).Asks(Path + "?artifactType=application/vnd.example.sbom").Says(200).AlikeOnHead(),
        Rule("A digest that nothing refers to has an empty index", ListReferrers).Asks("GET /v2/referrers/api/referrers/sha256:{8*64}").Says(200).Has("Content-Type", MediaTypes.OciIndex)
            .GivesJson("`schemaVersion` 2, the `mediaType`, no descriptors", (_, index) => Assert.Equal(
                (2, MediaTypes.OciIndex, 0), (index.GetProperty("schemaVersion").GetInt32(), index.GetProperty("mediaType").GetString(), index.GetProperty("manifests").GetArrayLength()))),
        Rule("A sha512 digest that nothing refers to has an empty index", ListReferrers).Asks("GET /v2/referrers/api/referrers/sha512:{8*128}").Says(200).GivesJson("no descriptors", (_, index) => Empty(index)),
        Rule("A digest in a repository that is not there has an empty index", ListReferrers).Asks("GET /v2/referrers/nowhere/referrers/sha256:{8*64}").Says(200).GivesJson("no descriptors", (_, index) => Empty(index)),
        Rule("A tag has no referrers", ListReferrers).Asks("GET /v2/referrers/api/referrers/latest").Refuses(400, "DIGEST_INVALID", "latest"),
        Rule("Referrers with ns echo it", NsParameter).Asks(Path + "?ns=docker.io").Says(200).Has("OCI-Namespace", "docker.io"),
        Rule("Referrers say their age", "RFC 9111 §5.1").Asks(Path).Says(200).HasLike("Age", "a number of seconds", value => value.All(char.IsAsciiDigit)),
        Rule("Referrers say where they came from, and are kept for a while", Ours)
            .Does("`GET` referrers twice, once filtered", "`X-Cache: MISS`, then `HIT`; upstream: asked once", async lab =>
            {
                lab.NewRepository("referrers/kept");
                Assert.Equal("MISS", (await lab.GetAsync("/v2/referrers/kept/referrers/{small}")).Header("X-Cache"));
                Assert.Equal("HIT", (await lab.GetAsync("/v2/referrers/kept/referrers/{small}?artifactType=a/b")).Header("X-Cache"));
                Assert.Single(lab.Upstream.Log.Matching("/v2/referrers/kept/referrers/"));
            }),
        Fallback("A registry that answers 404 for referrers is asked for the fallback tag", "old", 404),
        Fallback("A registry that answers 400 for referrers is asked for the fallback tag", "bad", 400),
        Fallback("A registry that answers 405 for referrers is asked for the fallback tag", "not-allowed", 405),
        Fallback("A registry that answers 406 for referrers is asked for the fallback tag", "not-acceptable", 406),
        Fallback("A registry that answers 501 for referrers is asked for the fallback tag", "not-implemented", 501),
        Fallback("A registry that answers a web page for referrers is asked for the fallback tag", "page", 200),
        Rule("The fallback tag of a sha512 digest is cut to 64 digits", TagSchema)
            .Does("an old upstream has `sha512-` and the first 64 digits as a tag", "its index", async lab =>
            {
                var repository = lab.Registry.Repository("referrers/sha512");
                repository.HasReferrers = false;
                repository.AddManifest(Index("1"), MediaTypes.OciIndex, lab.Fill("sha512-{small512.hex}")[..(7 + 64)]);
                Assert.Equal(["1"], Names(await lab.GetAsync("/v2/referrers/sha512/referrers/{small512}")));
            }),
        Rule("A list from the fallback tag is filtered too", TagSchema)
            .Does("an old upstream's fallback index has two types; ask for one", "that one, `OCI-Filters-Applied: artifactType`", async lab =>
            {
                var repository = lab.Registry.Repository("referrers/filtered");
                repository.HasReferrers = false;
                repository.AddManifest(Index("1", "2"), MediaTypes.OciIndex, lab.Fill("sha256-{small.hex}"));
                var answer = await lab.GetAsync("/v2/referrers/filtered/referrers/{small}?artifactType=application/vnd.example.sbom");
                Assert.Equal(["2"], Names(answer));
                Assert.Equal("artifactType", answer.Header("OCI-Filters-Applied"));
            }),
        Rule("A fallback tag that is no index gives an empty index", TagSchema)
            .Does("an old upstream has an image under the fallback tag", "`200`, no descriptors", async lab =>
            {
                var repository = lab.Registry.Repository("referrers/image");
                repository.HasReferrers = false;
                repository.AddManifest(lab.Bytes("small"), MediaTypes.OciManifest, lab.Fill("sha256-{small.hex}"));
                var answer = await lab.GetAsync("/v2/referrers/image/referrers/{small}");
                Assert.Equal(200, answer.Status);
                Assert.Empty(Names(answer));
            }),
        Rule("An upstream that refuses referrers is told as that, not as none", ListReferrers)
            .Does("the upstream answers `403`", "`403`, `DENIED`", async lab =>
            {
                lab.Registry.Script(lab.Fill("/v2/referrers/denied/referrers/{small}"), new MemoryAnswer(403, [], null));
                var answer = await lab.GetAsync("/v2/referrers/denied/referrers/{small}");
                Assert.Equal((403, "DENIED"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("An upstream that is down for referrers is told as that, not as none", ListReferrers)
            .Does("the upstream answers `500`", "`503`, `UNAVAILABLE`, `Retry-After`", async lab =>
            {
                lab.Registry.Script(lab.Fill("/v2/referrers/down/referrers/{small}"), new MemoryAnswer(500, [], null));
                var answer = await lab.GetAsync("/v2/referrers/down/referrers/{small}");
                Assert.Equal((503, "UNAVAILABLE"), (answer.Status, Always.Error(answer).Code));
                Assert.NotNull(answer.Header("Retry-After"));
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Referrers(RuleName rule) => All.CheckAsync(rule, lab);

    /// <summary>Adds what the facts ask for.</summary>
    internal static void AddTo(MemoryRegistry registry, string subject)
    {
        static string Sent(string name, string? artifactType) => Descriptor(name, artifactType).ToJsonString();
        registry.Repository("referrers/api").SetReferrers(
            subject,
            [Sent("1", "application/vnd.example.sig"), Sent("2", "application/vnd.example.sbom")],
            [Sent("3", null), Sent("4", "application/vnd.example.sbom")],
            [Sent("5", "application/vnd.example.sig")]);
    }

    private static Fact Lists(string rule, string query, params string[] names) => Rule(rule, ListReferrers).Asks(Path + query).Says(200)
        .That(names.Length == 0 ? "no descriptors" : $"descriptors {string.Join(", ", names)}", (_, answer) => Assert.Equal(names, Names(answer)));

    private static Fact Fallback(string rule, string name, int status) => Rule(rule, TagSchema)
        .Does($"the upstream answers `{status}`{(status == 200 ? " with HTML" : "")} for referrers and has the tag `sha256-<hex>`", "`200`, the descriptors of that index", async lab =>
        {
            var repository = lab.Registry.Repository("referrers/" + name);
            lab.Registry.Script(lab.Fill($"/v2/referrers/{name}/referrers/{{small}}"), new MemoryAnswer(status, "<html/>"u8.ToArray(), "text/html"));
            repository.AddManifest(Index("1", "2", "3"), MediaTypes.OciIndex, lab.Fill("sha256-{small.hex}"));
            var answer = await lab.GetAsync($"/v2/referrers/{name}/referrers/{{small}}");
            Assert.Equal((200, MediaTypes.OciIndex), (answer.Status, answer.Header("Content-Type")));
            Assert.Equal(["1", "2", "3"], Names(answer));
        });

    private static JsonObject Descriptor(string name, string? artifactType)
    {
        var descriptor = new JsonObject { ["mediaType"] = MediaTypes.OciManifest, ["digest"] = "sha256:" + new string(name[0], 64), ["size"] = 700 };
        if (artifactType is not null) descriptor["artifactType"] = artifactType;
        descriptor["annotations"] = new JsonObject { ["name"] = name };
        return descriptor;
    }

    private static byte[] Index(params string[] names) => Encoding.UTF8.GetBytes(new JsonObject
    {
        ["schemaVersion"] = 2,
        ["mediaType"] = MediaTypes.OciIndex,
        ["manifests"] = new JsonArray([.. names.Select(name => (JsonNode)Descriptor(name, name == "2" ? "application/vnd.example.sbom" : "application/vnd.example.sig"))]),
    }.ToJsonString());

    private static string[] Names(RawResponse answer)
    {
        using var body = JsonDocument.Parse(answer.Body);
        return [.. body.RootElement.GetProperty("manifests").EnumerateArray().Select(descriptor => descriptor.GetProperty("annotations").GetProperty("name").GetString()!)];
    }

    private static void Empty(JsonElement index) => Assert.Equal(0, index.GetProperty("manifests").GetArrayLength());
}
