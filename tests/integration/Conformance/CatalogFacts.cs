using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>The catalogue: what is held here, not what the upstreams have.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class CatalogFacts(Lab lab)
{
    private const string Where = "an Entrepot of which `a`, `library/small` and `quay.io/library/small` have been pulled";

    internal static readonly Section All = new(
        "The catalogue",
        Lists("The catalogue has what was pulled, in the order of bytes, by the names that clients use", "", "a", "library/small", "quay.io/library/small").HasNo("Link").Has("Content-Type", "application/json"),
        Lists("n limits a page of the catalogue, and a Link leads to the next", "?n=2", "a", "library/small").Has("Link", "</v2/_catalog?n=2&last=library%2Fsmall>; rel=\"next\""),
        Lists("The Link's last is read back", "?n=2&last=library%2Fsmall", "quay.io/library/small").HasNo("Link"),
        Lists("A last that does not exist is a place in the order", "?last=b", "library/small", "quay.io/library/small"),
        Lists("n=0 gives no repository and no Link", "?n=0").HasNo("Link"),
        Lists("A last behind all repositories gives none", "?last=z").HasNo("Link"),
        Rule("A bad n is refused by the catalogue too", Catalog).At(Where, PortAsync).Asks("GET /v2/_catalog?n=-1").Refuses(400, "PAGINATION_NUMBER_INVALID", "n=-1"),
        Rule("HEAD of the catalogue has the headers of GET", CheckContent).At(Where, PortAsync).Asks("GET /v2/_catalog").Says(200).AlikeOnHead(),
        Rule("An empty cache has an empty list of repositories, not null", Catalog)
            .At("an Entrepot that has pulled nothing", async lab => (await lab.OnceAsync("empty", () => lab.StartAnotherAsync())).Port).Asks("GET /v2/_catalog").Says(200).GivesText("{\"repositories\":[]}"),
        Rule("The catalogue asks no upstream", Catalog)
            .Does("`GET /v2/_catalog`", "`200`; upstream: not asked", async lab =>
            {
                Assert.Equal(200, (await lab.GetAsync("/v2/_catalog")).Status);
                Assert.Empty(lab.Upstream.Log.Matching("_catalog"));
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Catalogue(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Lists(string rule, string query, params string[] names) => Rule(rule, Catalog).At(Where, PortAsync).Asks($"GET /v2/_catalog{query}").Says(200)
        .GivesText($"{{\"repositories\":[{string.Join(',', names.Select(name => $"\"{name}\""))}]}}");

    private static async Task<int> PortAsync(Lab lab) => (await lab.OnceAsync("catalogue", async () =>
    {
        var entrepot = await lab.StartAnotherAsync(settings => settings.Add("quay.io", lab.OtherUrl));
        foreach (var name in new[] { "quay.io/library/small", "a", "library/small" }) Assert.Equal(200, (await lab.SendToAsync(entrepot.Port, $"GET /v2/{name}/manifests/1")).Status);
        return entrepot;
    })).Port;
}
