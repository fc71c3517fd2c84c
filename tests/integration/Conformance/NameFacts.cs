using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What may be a repository's name.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class NameFacts(Lab lab)
{
    internal static readonly Section All = new(
        "Repository names",
        Good("One letter is a name", "a"),
        Good("A digit may begin a name", "0/9"),
        Good("A name may have one component", "single"),
        Good("A name may have many components", "a/b/c/d/e/f/g"),
        Good("A dot may join two runs", "dot/a.b"),
        Good("One underscore may join two runs", "under/a_b"),
        Good("Two underscores may join two runs", "under/a__b"),
        Good("One dash may join two runs", "dash/a-b"),
        Good("Any number of dashes may join two runs", "dash/a-----b"),
        Good("Different separators may be used in one component", "mix/a.b_c__d-e--f"),
        Good("A name of 255 characters is valid", "long/{n*250}"),
        Good("A name may end in the word manifests", "words/manifests"),
        Good("A name may hold the word manifests twice, as a path of another manifest would", "words/manifests/manifests"),
        Good("A name may hold the word blobs", "words/blobs/more"),
        Good("A name may look like the path of an upload", "words/blobs/uploads"),
        Good("A name may look like the path of a list of tags", "words/tags/list"),
        Good("A name may hold the word referrers", "words/referrers/more"),
        Good("A name may begin with v2", "v2/thing"),
        Rule("A blob is found in a repository whose name holds the word blobs", PullBlobs)
            .Asks("GET /v2/words/blobs/more/blobs/{layer}").Says(200).Gives("layer"),
        Rule("Tags are listed of a repository whose name is that of a list of tags", ListTags)
            .Asks("GET /v2/words/tags/list/tags/list").Says(200).GivesText("{\"name\":\"words/tags/list\",\"tags\":[\"1\"]}"),
        Rule("Referrers are listed of a repository whose name holds the word referrers", ListReferrers)
            .Asks("GET /v2/words/referrers/more/referrers/{layer}").Says(200),
        Bad("An upper-case letter is refused", "library/Small", "library/Small"),
        Bad("A name that begins with a dot is refused", ".a", ".a"),
        Bad("A name that ends in a dot is refused", "a.", "a."),
        Bad("A name that begins with an underscore is refused, but for the catalogue's own path", "_a", "_a"),
        Bad("A name that ends in an underscore is refused", "a_", "a_"),
        Bad("A name that begins with a dash is refused", "-a", "-a"),
        Bad("A component that ends in a dash is refused", "a-/b", "a-/b"),
        Bad("A component that begins with a dash is refused", "a/-b", "a/-b"),
        Bad("Two dots in a row are refused", "a..b", "a..b"),
        Bad("Three underscores in a row are refused", "a___b", "a___b"),
        Bad("Two different separators in a row are refused", "a._b", "a._b"),
        Bad("A dash behind an underscore is refused", "a_-b", "a_-b"),
        Bad("A name of 256 characters is refused", "long/{n*251}", "256 characters"),
        Bad("A colon, as before a port, is refused in a name", "localhost:5000/small", "localhost:5000/small"),
        Bad("An at sign is refused in a name", "a@b", "a@b"),
        Bad("A plus sign is refused in a name", "a+b", "a+b"),
        Bad("A backslash is refused in a name", "library\\small", "library\\small"),
        Bad("A tilde is refused in a name", "~user/a", "~user/a"),
        Bad("An empty component is refused", "a//b", "a//b"),
        Bad("A component that is one dot is refused and not resolved", "library/./small", "library/./small"),
        Bad("A component that is two dots is refused and not resolved", "other/../library/small", "other/../library/small"),
        Bad("A slash before the name is refused", "/library/small", "/library/small"),
        Bad("An escaped slash is no separator", "library%2Fsmall", "library%2Fsmall"),
        Bad("An escaped space is refused", "library/a%20b", "library/a%20b"),
        Bad("A letter beyond ASCII, escaped, is refused", "library/caf%C3%A9", "library/caf%C3%A9"),
        Bad("Escaped dots are refused as dots are", "library/%2E%2E/small", "library/../small"),
        Bad("A broken escape is refused", "library/%zz", "library/%zz"),
        Bad("A name that is escaped twice is refused", "library/%2561", "library/%2561"),
        Bad("A line feed, escaped, is refused and not repeated in the message", "library/a%0Ab", "library/a%0Ab"),
        Rule("An escaped letter is that letter", "RFC 3986 §2.3").Asks("GET /v2/library/sm%61ll/manifests/1").Says(200).Has("Docker-Content-Digest", "{small}"),
        Rule("A path without a name before the route is refused", PullManifests).Asks("GET /v2/manifests/1").Refuses(400, "NAME_INVALID", "''"),
        Rule("A bad name is refused on the blobs' path too", PullBlobs).Asks("GET /v2/Library/blobs/{layer}").Refuses(400, "NAME_INVALID", "Library"),
        Rule("A bad name is refused on the path of the list of tags too", ListTags).Asks("GET /v2/Library/tags/list").Refuses(400, "NAME_INVALID", "Library"),
        Rule("A bad name is refused on the path of referrers too", ListReferrers).Asks("GET /v2/Library/referrers/{layer}").Refuses(400, "NAME_INVALID", "Library"),
        Rule("A long bad name is cut in the message", Ours).Asks("GET /v2/{N*3000}/manifests/1").Refuses(400, "NAME_INVALID", "3000 characters")
            .That("at most 1 KiB", (_, answer) => Assert.InRange(answer.Body.Length, 1, 1024)));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Names(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Good(string rule, string name) => Rule(rule, PullManifests).Asks($"GET /v2/{name}/manifests/1").Says(200).Gives("small");

    private static Fact Bad(string rule, string name, string named) => Rule(rule, PullManifests).Asks($"GET /v2/{name}/manifests/1").Refuses(400, "NAME_INVALID", named);
}
