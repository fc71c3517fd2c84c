using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What may be a tag, what a digest.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class ReferenceFacts(Lab lab)
{
    internal static readonly Section All = new(
        "Tags and digests",
        GoodTag("A tag may be a digit", "0"),
        GoodTag("A tag may be an upper-case letter", "A"),
        GoodTag("A tag may begin with an underscore", "_x"),
        GoodTag("A tag may hold dots, dashes and underscores", "v1.2-3_4"),
        GoodTag("A tag may be the word list", "list"),
        GoodTag("A tag of 128 characters is valid", "{t*128}"),
        BadTag("A tag of 129 characters is refused", "{t*129}", "{t*128}..."),
        BadTag("A tag that begins with a dot is refused", ".1", ".1"),
        BadTag("A tag that begins with a dash is refused", "-1", "-1"),
        BadTag("A plus sign is refused in a tag, as in a version of SemVer", "1.0+build", "1.0+build"),
        BadTag("A fragment, which no client should send, is no part of a tag", "1#x", "1#x"),
        BadTag("An empty tag is refused", "", "''"),
        BadTag("A tag with an escaped slash is refused", "a%2Fb", "a%2Fb"),
        BadTag("A tag with an escaped letter beyond ASCII is refused", "%C3%BC", "%C3%BC"),
        BadTag("A digest without its algorithm is a tag, and as long as 128 characters allowed", "{layer.hex}.{t*64}", "is invalid"),
        BadTag("A tag that is escaped twice is refused", "%2531", "%2531"),
        Rule("An escaped letter of a tag is that letter", "RFC 3986 §2.3").Asks("GET /v2/library/small/manifests/l%61test").Says(200).Has("Docker-Content-Digest", "{small}"),
        Rule("A tag is told from another by the case of its letters", PullManifests).Asks("GET /v2/library/small/manifests/Latest").Refuses(404, "MANIFEST_UNKNOWN", "Latest"),
        Rule("A sha256 digest of 64 lower-case hex digits is valid", Digests).Asks("GET /v2/library/small/blobs/{config}").Says(200).Gives("config"),
        Rule("A sha512 digest of 128 lower-case hex digits is valid", Digests).Asks("GET /v2/library/small/blobs/{layer512}").Says(200).Gives("layer512"),
        Rule("The colon of a digest may be escaped", "RFC 3986 §2.1").Asks("GET /v2/library/small/blobs/sha256%3A{layer.hex}").Says(200).Has("Docker-Content-Digest", "{layer}"),
        BadDigest("Upper-case hex is refused", "sha256:{A*64}"),
        BadDigest("63 hex digits are too few for sha256", "sha256:{a*63}"),
        BadDigest("65 hex digits are too many for sha256", "sha256:{a*65}"),
        BadDigest("64 hex digits are too few for sha512", "sha512:{a*64}"),
        Rule("128 hex digits are too many for sha256", Digests).Asks("GET /v2/library/small/blobs/sha256:{a*128}").Refuses(400, "DIGEST_INVALID", "sha256:{a*121}..."),
        BadDigest("A digest without digits is refused", "sha256:"),
        BadDigest("A digest without an algorithm is refused", ":{a*64}"),
        BadDigest("A letter that is no hex digit is refused", "sha256:{g*64}"),
        BadDigest("An unknown algorithm is refused", "md5:{a*32}"),
        BadDigest("An algorithm that only the grammar knows is refused", "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8"),
        BadDigest("An algorithm in upper case is refused", "SHA256:{a*64}"),
        BadDigest("sha384 is refused", "sha384:{a*96}"),
        BadDigest("A digest with a second colon is refused", "sha256:sha256:{a*64}"),
        Rule("A bad digest is refused on the manifests' path too", PullManifests).Asks("GET /v2/library/small/manifests/sha256:abc").Refuses(400, "DIGEST_INVALID", "sha256:abc"),
        Rule("A tag and a digest in one are refused", PullManifests).Asks("GET /v2/library/small/manifests/1@{small}").Refuses(400, "DIGEST_INVALID", "1@sha256:"),
        Rule("A tag is no digest of a blob", PullBlobs).Asks("GET /v2/library/small/blobs/latest").Refuses(400, "DIGEST_INVALID", "latest"),
        Rule("A digest that is escaped twice is refused", PullBlobs).Asks("GET /v2/library/small/blobs/sha256%253A{layer.hex}").Refuses(400, "DIGEST_INVALID", "sha256%253A"),
        Rule("A bad digest is refused on the path of referrers too", ListReferrers).Asks("GET /v2/library/small/referrers/sha256:abc").Refuses(400, "DIGEST_INVALID", "sha256:abc"),
        Rule("A manifest's digest is not one of a blob", PullBlobs).Asks("GET /v2/library/small/blobs/{small}").Refuses(404, "BLOB_UNKNOWN", "{small}"),
        Rule("A blob's digest is not one of a manifest", PullManifests).Asks("GET /v2/library/small/manifests/{layer}").Refuses(404, "MANIFEST_UNKNOWN", "{layer}"));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task References(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact GoodTag(string rule, string tag) => Rule(rule, PullManifests).Asks($"GET /v2/library/small/manifests/{tag}").Says(200).Gives("small");

    private static Fact BadTag(string rule, string tag, string named) => Rule(rule, PullManifests).Asks($"GET /v2/library/small/manifests/{tag}").Refuses(400, "TAG_INVALID", named);

    private static Fact BadDigest(string rule, string digest) => Rule(rule, Digests).Asks($"GET /v2/library/small/blobs/{digest}").Refuses(400, "DIGEST_INVALID", digest);
}
