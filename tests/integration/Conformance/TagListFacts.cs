using System.Text;
using System.Text.Json;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Lists of tags. The upstream's list is <c>b a B 10 2 1 latest</c>, in pages of three.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class TagListFacts(Lab lab)
{
    private const string Path = "/v2/lists/many/tags/list";

    internal static readonly Section All = new(
        "Lists of tags",
        Lists("Tags are listed in the order of their bytes, all pages of the upstream in one", "", "1", "10", "2", "B", "a", "b", "latest")
            .Has("Content-Type", "application/json").HasNo("Link"),
        Lists("n limits a page, and a Link leads to the next", "?n=2", "1", "10").Has("Link", $"<{Path}?n=2&last=10>; rel=\"next\""),
        Lists("last begins behind that tag", "?n=2&last=10", "2", "B").Has("Link", $"<{Path}?n=2&last=B>; rel=\"next\""),
        Lists("The last page has no Link", "?n=2&last=b", "latest").HasNo("Link"),
        Lists("A page that ends with the list has no Link", "?n=3&last=B", "a", "b", "latest").HasNo("Link"),
        Lists("An n as long as the list gives all and no Link", "?n=7", "1", "10", "2", "B", "a", "b", "latest").HasNo("Link"),
        Lists("An n longer than the list gives all and no Link", "?n=8", "1", "10", "2", "B", "a", "b", "latest").HasNo("Link"),
        Lists("An n that fits no 32 bits gives all", "?n=99999999999", "1", "10", "2", "B", "a", "b", "latest").HasNo("Link"),
        Lists("n=0 gives none and no Link", "?n=0").HasNo("Link"),
        Lists("n=0 with last gives none and no Link", "?n=0&last=a").HasNo("Link"),
        Lists("last without n gives all the rest", "?last=2", "B", "a", "b", "latest").HasNo("Link"),
        Lists("last need not exist: the order of bytes says where it would be", "?last=C", "a", "b", "latest"),
        Lists("A last before all tags gives all", "?n=1&last=!", "1").Has("Link", $"<{Path}?n=1&last=1>; rel=\"next\""),
        Lists("A last behind all tags gives none and no Link", "?n=5&last=zzz").HasNo("Link"),
        Lists("The last tag as last gives none", "?last=latest").HasNo("Link"),
        Lists("An empty last is as none", "?n=1&last=", "1"),
        Lists("A last that is no tag does no harm", "?n=1&last=%00%2F%25", "1"),
        Lists("Upper case comes before lower case", "?n=1&last=2", "B"),
        Lists("What else is in the query does no harm", "?n=1&foo=bar", "1").Has("Link", $"<{Path}?n=1&last=1>; rel=\"next\""),
        BadN("A negative n is refused", "-1"),
        BadN("An n that is no number is refused", "ten"),
        BadN("An empty n is refused", ""),
        BadN("A fraction as n is refused", "1.5"),
        BadN("A number with an exponent as n is refused", "1e3"),
        BadN("A hexadecimal n is refused", "0x10"),
        Rule("Two n are refused", ListTags).Asks($"GET {Path}?n=1&n=2").Refuses(400, "PAGINATION_NUMBER_INVALID", "n=1,2"),
        Rule("A bad n is refused before the upstream is asked", ListTags)
            .Does("`GET /v2/lists/unasked/tags/list?n=x`", "`400`; upstream: not asked", async lab =>
            {
                Assert.Equal(400, (await lab.GetAsync("/v2/lists/unasked/tags/list?n=x")).Status);
                Assert.Empty(lab.Upstream.Log.Matching("/v2/lists/unasked/"));
            }),
        Rule("HEAD of a list of tags has the headers of GET", CheckContent).Asks($"GET {Path}?n=2").Says(200).AlikeOnHead(),
        Rule("The name is the one the client wrote, prefix and all", ListTags).Asks("GET /v2/docker.io/lists/many/tags/list?n=1").Says(200)
            .GivesText("{\"name\":\"docker.io/lists/many\",\"tags\":[\"1\"]}"),
        Rule("The Link keeps the prefix that the client wrote", ListTags).Asks("GET /v2/docker.io/lists/many/tags/list?n=1").Says(200)
            .Has("Link", "</v2/docker.io/lists/many/tags/list?n=1&last=1>; rel=\"next\""),
        Rule("The Link keeps the ns that the client sent", NsParameter).Asks($"GET {Path}?n=1&ns=docker.io").Says(200).Has("Link", $"<{Path}?n=1&last=1&ns=docker.io>; rel=\"next\""),
        Rule("A list of tags with ns echoes it", NsParameter).Asks($"GET {Path}?n=1&ns=docker.io").Says(200).Has("OCI-Namespace", "docker.io"),
        Rule("Following the Links gives every tag once", ListTags)
            .Does($"`GET {Path}?n=3`, and its Links to the end", "all seven tags in order, each once", async lab =>
            {
                var all = new List<string>();
                for (var path = Path + "?n=3"; path is not null;)
                {
                    var answer = await lab.GetAsync(path);
                    all.AddRange(Tags(answer));
                    var link = answer.Header("Link");
                    path = link?[1..link.IndexOf('>', StringComparison.Ordinal)];
                }

                Assert.Equal(["1", "10", "2", "B", "a", "b", "latest"], all);
            }),
        Rule("A repository that is not there has no list", ListTags).Asks("GET /v2/lists/nowhere/tags/list").Refuses(404, "NAME_UNKNOWN", "lists/nowhere"),
        Rule("HEAD of the list of a repository that is not there is 404 without a body", CheckContent).Asks("HEAD /v2/lists/nowhere-head/tags/list").Says(404).GivesNothing(),
        Upstreams("A repository without tags has an empty list, not null", "null", "{\"name\":\"x\",\"tags\":null}"),
        Upstreams("A list without the field is empty", "absent", "{\"name\":\"x\"}"),
        Upstreams("A tag that the upstream lists twice is listed once", "twice", "{\"name\":\"x\",\"tags\":[\"a\",\"b\",\"a\"]}", "a", "b"),
        Upstreams("What is no tag is left out of the upstream's list", "odd", "{\"name\":\"x\",\"tags\":[\"ok\",\"../x\",\"\",7,null,\"a b\"]}", "ok"),
        Rule("A web page in place of a list of tags is the upstream's fault", ListTags)
            .Does("the upstream answers `200` with HTML", "`502`", async lab => Assert.Equal(502, (await ScriptedAsync(lab, "html", "<html/>", "text/html")).Status)),
        Rule("JSON that is no list of tags is the upstream's fault", ListTags)
            .Does("the upstream answers `200` with `[1,2]`", "`502`", async lab => Assert.Equal(502, (await ScriptedAsync(lab, "json", "[1,2]", "application/json")).Status)),
        Rule("A list of tags says its age", "RFC 9111 §5.1").Asks($"GET {Path}?n=5").Says(200).HasLike("Age", "a number of seconds", value => value.All(char.IsAsciiDigit)),
        Rule("A list of tags says where it came from, and is kept for a while", Ours)
            .Does("`GET` a list of tags twice", "`X-Cache: MISS`, then `HIT`; upstream: asked once", async lab =>
            {
                lab.NewRepository("lists/kept");
                Assert.Equal("MISS", (await lab.GetAsync("/v2/lists/kept/tags/list")).Header("X-Cache"));
                Assert.Equal("HIT", (await lab.GetAsync("/v2/lists/kept/tags/list?n=1")).Header("X-Cache"));
                Assert.Single(lab.Upstream.Log.Matching("/v2/lists/kept/tags/list"));
            }),
        Rule("An upstream that continues its list on another host is not followed", "OCI distribution-spec v1.1, Listing Tags")
            .Does("the upstream's `Link` leads to `http://127.0.0.1:1/`", "`502`", async lab =>
            {
                lab.Registry.Script("/v2/lists/away/tags/list", new MemoryAnswer(200, "{\"name\":\"x\",\"tags\":[\"a\"]}"u8.ToArray(), "application/json", ("Link", "<http://127.0.0.1:1/v2/x>; rel=\"next\"")));
                Assert.Equal(502, (await lab.GetAsync("/v2/lists/away/tags/list")).Status);
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Lists_of_tags(RuleName rule) => All.CheckAsync(rule, lab);

    internal static string[] Tags(RawResponse answer)
    {
        using var body = JsonDocument.Parse(answer.Body);
        return [.. body.RootElement.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!)];
    }

    private static Fact Lists(string rule, string query, params string[] tags) => Rule(rule, ListTags).Asks($"GET {Path}{query}").Says(200)
        .GivesText($"{{\"name\":\"lists/many\",\"tags\":[{string.Join(',', tags.Select(tag => $"\"{tag}\""))}]}}");

    private static Fact BadN(string rule, string n) => Rule(rule, ListTags).Asks($"GET {Path}?n={n}").Refuses(400, "PAGINATION_NUMBER_INVALID", $"n={n}");

    private static Fact Upstreams(string rule, string name, string body, params string[] tags) => Rule(rule, ListTags)
        .Does($"the upstream's list is `{body}`", $"`200`, `{JsonSerializer.Serialize(tags)}`", async lab => Assert.Equal(tags, Tags(await ScriptedAsync(lab, name, body, "application/json"))));

    private static Task<RawResponse> ScriptedAsync(Lab lab, string name, string body, string contentType)
    {
        lab.Registry.Script($"/v2/lists/{name}/tags/list", new MemoryAnswer(200, Encoding.UTF8.GetBytes(body), contentType));
        return lab.GetAsync($"/v2/lists/{name}/tags/list");
    }
}
