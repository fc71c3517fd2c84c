using Entrepot.TestSupport.Images;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>If-None-Match and its kin.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class ConditionFacts(Lab lab)
{
    private const string ByTag = "GET /v2/library/small/manifests/1";
    private const string ByDigest = "GET /v2/library/small/manifests/{small}";
    private const string Rfc = "RFC 9110 §13.1.2";

    internal static readonly Section All = new(
        "Conditional requests",
        Same("A manifest by tag that the client has is 304", ByTag, "If-None-Match: \"{small}\"")
            .Has("ETag", "\"{small}\"").Has("Docker-Content-Digest", "{small}"),
        Same("A manifest by digest that the client has is 304, and may be kept for a year", ByDigest, "If-None-Match: \"{small}\"").Has("Cache-Control", "max-age=31536000"),
        Same("A digest without quotes matches, as some clients send it", ByTag, "If-None-Match: {small}"),
        Same("A weak tag matches", ByTag, "If-None-Match: W/\"{small}\""),
        Same("A star matches whatever is there", ByTag, "If-None-Match: *"),
        Same("One of a list matches", ByTag, "If-None-Match: \"sha256:{0*64}\", \"{small}\", \"x\""),
        Same("One of several lines matches", ByTag, "If-None-Match: \"sha256:{0*64}\"", "If-None-Match: \"{small}\""),
        Same("A list with empty elements is read", ByTag, "If-None-Match: , ,\"{small}\",,"),
        Same("A comma inside the quotes belongs to the tag", ByTag, "If-None-Match: \"a,b\",\"{small}\""),
        Same("A list without quotes is read", ByTag, "If-None-Match: sha256:{0*64}, {small}"),
        Same("A weak tag in a list matches", ByTag, "If-None-Match: \"x\",W/\"{small}\""),
        Rule("304 has no type and no length", "RFC 9110 §15.4.5").Asks(ByTag, "If-None-Match: \"{small}\"").Says(304).HasNo("Content-Type").HasNo("Content-Length").GivesNothing(),
        Rule("304 of a tag says its age", "RFC 9111 §5.1").Asks(ByTag, "If-None-Match: \"{small}\"").Says(304).HasLike("Age", "a number of seconds", value => value.All(char.IsAsciiDigit)),
        Rule("304 says where it came from", Ours).Asks(ByDigest, "If-None-Match: \"{small}\"").Says(304).HasLike("X-Cache", "`HIT` or `MISS`", value => value is "HIT" or "MISS"),
        Rule("HEAD that the client has is 304", Rfc).Asks("HEAD /v2/library/small/manifests/1", "If-None-Match: \"{small}\"").Says(304).Has("ETag", "\"{small}\"").GivesNothing(),
        Rule("Another digest does not match", Rfc).Asks(ByTag, "If-None-Match: \"sha256:{0*64}\"").Says(200).Gives("small"),
        Rule("The hex digits alone do not match", Rfc).Asks(ByTag, "If-None-Match: \"{small.hex}\"").Says(200).Gives("small"),
        Rule("The digest in upper case does not match", Rfc).Asks(ByTag, "If-None-Match: \"SHA256:{small.hex}\"").Says(200).Gives("small"),
        Rule("A digest that is only the beginning of another does not match", Rfc).Asks(ByTag, "If-None-Match: \"{small}0\"").Says(200).Gives("small"),
        Rule("A star in quotes does not match", Rfc).Asks(ByTag, "If-None-Match: \"*\"").Says(200).Gives("small"),
        Rule("A quote that does not end does not match", Rfc).Asks(ByTag, "If-None-Match: \"{small}").Says(200).Gives("small"),
        Rule("What cannot be read does not match", Rfc).Asks(ByTag, "If-None-Match: \\\"W/W/,;=").Says(200).Gives("small"),
        Rule("An empty If-None-Match does not match", Rfc).Asks(ByTag, "If-None-Match:").Says(200).Gives("small"),
        Rule("A star does not make an unknown tag 304", Rfc).Asks("GET /v2/library/small/manifests/no-such", "If-None-Match: *").Refuses(404, "MANIFEST_UNKNOWN", "no-such"),
        Rule("A blob that the client has is 304", PullBlobs).Asks("GET /v2/library/small/blobs/{layer}", "If-None-Match: \"{layer}\"").Says(304)
            .Has("ETag", "\"{layer}\"").Has("Cache-Control", "max-age=31536000, immutable").HasNo("Content-Length").GivesNothing(),
        Rule("HEAD of a blob that the client has is 304", PullBlobs).Asks("HEAD /v2/library/small/blobs/{layer}", "If-None-Match: \"{layer}\"").Says(304).GivesNothing(),
        Rule("Another digest does not match a blob", PullBlobs).Asks("GET /v2/library/small/blobs/{layer}", "If-None-Match: \"{config}\"").Says(200).Gives("layer"),
        Rule("If-None-Match comes before Range", "RFC 9110 §13.2.2").Asks("GET /v2/library/small/blobs/{layer}", "If-None-Match: \"{layer}\"", "Range: bytes=0-9").Says(304).HasNo("Content-Range").GivesNothing(),
        Rule("If-None-Match comes before a Range that cannot be satisfied", "RFC 9110 §13.2.2").Asks("GET /v2/library/small/blobs/{layer}", "If-None-Match: \"{layer}\"", "Range: bytes=99999-").Says(304),
        Rule("If-None-Match that does not match lets Range be", "RFC 9110 §13.2.2").Asks("GET /v2/library/small/blobs/{layer}", "If-None-Match: \"x\"", "Range: bytes=0-9").Says(206).Gives("layer", 0, 10),
        Rule("If-Modified-Since is ignored: there is no date to compare", "RFC 9110 §13.1.3").Asks(ByTag, "If-Modified-Since: Fri, 31 Dec 2999 23:59:59 GMT").Says(200).HasNo("Last-Modified").Gives("small"),
        Rule("If-None-Match on the list of tags is ignored: it has no ETag", ListTags).Asks("GET /v2/words/tags/list/tags/list", "If-None-Match: \"x\"").Says(200).HasNo("ETag"));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Conditions(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Same(string rule, params string[] lines) => Rule(rule, Rfc).Asks(lines).Says(304).GivesNothing();
}
