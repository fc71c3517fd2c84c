using Entrepot.TestSupport.Images;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What an Accept header changes: nothing, but for one mercy to clients that know no index.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class AcceptFacts(Lab lab)
{
    private const string NoIndex = "OCI index found, but accept header does not support OCI indexes";

    internal static readonly Section All = new(
        "Accept",
        Index("Without Accept an index is served as it is", "RFC 9110 §12.5.1"),
        Index("*/* accepts an index", "RFC 9110 §12.5.1", "Accept: */*"),
        Index("application/* accepts an index", "RFC 9110 §12.5.1", "Accept: application/*"),
        Index("An empty Accept is as none", "RFC 9110 §12.5.1", "Accept:"),
        Index("The index's own type accepts it", PullManifests, $"Accept: {MediaTypes.OciIndex}"),
        Index("One comma list of all types accepts an index", PullManifests, $"Accept: {MediaTypes.OciManifest}, {MediaTypes.DockerManifest}, {MediaTypes.DockerList}, {MediaTypes.OciIndex}"),
        Index("Several Accept lines count as one list", "RFC 9110 §5.3", $"Accept: {MediaTypes.OciManifest}", $"Accept: {MediaTypes.OciIndex}"),
        Index("An image type and a wildcard accept an index", "RFC 9110 §12.5.1", $"Accept: {MediaTypes.OciManifest}, */*;q=0.1"),
        Index("A q value below one still accepts", "RFC 9110 §12.4.2", $"Accept: {MediaTypes.OciIndex};q=0.001, {MediaTypes.OciManifest}"),
        Index("Types are compared without case", "RFC 9110 §8.3.1", $"Accept: {MediaTypes.OciIndex.ToUpperInvariant()}"),
        Index("Parameters and spaces in Accept do no harm", "RFC 9110 §12.5.1", $"Accept:  {MediaTypes.OciManifest} ;q=0.9 ,\t{MediaTypes.OciIndex} ; charset=utf-8 ; q=0.5 ,,"),
        Index("A type that is none of manifests refuses nothing", Registries, "Accept: text/html, image/png"),
        Index("application/json alone, as curl users send, refuses nothing", Registries, "Accept: application/json"),
        Index("An Accept that cannot be read refuses nothing", "RFC 9110 §12.5.1", "Accept: ;;;,,\"\\//*/,q=x"),
        Index("An Accept of 4 KiB is read to its end", Ours, $"Accept: {{application/vnd.oci.image.manifest.v1+json, *90}}{MediaTypes.OciIndex}"),
        Index("A Docker client that knows manifest lists gets an OCI index", Registries, $"Accept: {MediaTypes.DockerManifest}, {MediaTypes.DockerList}"),
        Rule("An index by tag is refused to a client that asks for images only", Registries)
            .Asks("GET /v2/library/kinds/manifests/index", $"Accept: {MediaTypes.OciManifest}").Refuses(404, "MANIFEST_UNKNOWN", NoIndex),
        Rule("An index by tag is refused to a Docker client of schema 2 only", Registries)
            .Asks("GET /v2/library/kinds/manifests/index", $"Accept: {MediaTypes.DockerManifest}").Refuses(404, "MANIFEST_UNKNOWN", NoIndex),
        Rule("An index by tag is refused to a client that lists image types in several lines", "RFC 9110 §5.3")
            .Asks("GET /v2/library/kinds/manifests/index", $"Accept: {MediaTypes.OciManifest}", $"Accept: {MediaTypes.DockerManifest}").Refuses(404, "MANIFEST_UNKNOWN", NoIndex),
        Rule("A manifest list by tag is refused to a client that asks for images only, and named as one", Registries)
            .Asks("GET /v2/library/kinds/manifests/manifest-list", $"Accept: {MediaTypes.DockerManifest}").Refuses(404, "MANIFEST_UNKNOWN", "manifest list"),
        Rule("HEAD of an index by tag is refused as GET is, without a body", CheckContent)
            .Asks("HEAD /v2/library/kinds/manifests/index", $"Accept: {MediaTypes.OciManifest}").Says(404).GivesNothing(),
        Rule("An index by digest is served whatever Accept says", PullManifests)
            .Asks("GET /v2/library/kinds/manifests/{index}", $"Accept: {MediaTypes.OciManifest}").Says(200).Has("Content-Type", MediaTypes.OciIndex).Gives("index"),
        Rule("An image by tag is served to a client that asks for indexes only", Registries)
            .Asks("GET /v2/library/small/manifests/1", $"Accept: {MediaTypes.OciIndex}").Says(200).Gives("small"),
        Rule("An OCI image is served to a client that names Docker's types only", Registries)
            .Asks("GET /v2/library/small/manifests/1", $"Accept: {MediaTypes.DockerManifest}").Says(200).Has("Content-Type", MediaTypes.OciManifest).Gives("small"),
        Rule("A Docker image is served to a client that names OCI's types only, and is not converted", Registries)
            .Asks("GET /v2/library/kinds/manifests/docker", $"Accept: {MediaTypes.OciManifest}, {MediaTypes.OciIndex}").Says(200).Has("Content-Type", MediaTypes.DockerManifest).Gives("docker"),
        Rule("Accept is never answered 406", Registries).Asks("GET /v2/library/small/manifests/1", "Accept: application/vnd.example.other+json").Says(200).Gives("small"),
        Rule("Accept on a blob is ignored", PullBlobs).Asks("GET /v2/library/small/blobs/{layer}", "Accept: application/json").Says(200).Has("Content-Type", "application/octet-stream").Gives("layer"),
        Rule("Accept on a list of tags is ignored", ListTags).Asks("GET /v2/words/tags/list/tags/list", "Accept: text/html").Says(200).Has("Content-Type", "application/json"),
        Rule("Accept-Encoding changes nothing", "RFC 9110 §12.5.3").Asks("GET /v2/library/small/manifests/1", "Accept-Encoding: gzip, br, zstd").Says(200).HasNo("Content-Encoding").HasNo("Vary").Gives("small"),
        Rule("Accept-Language and Accept-Charset change nothing", "RFC 9110 §12.5").Asks("GET /v2/library/small/manifests/1", "Accept-Language: de", "Accept-Charset: iso-8859-1").Says(200).Has("Content-Type", MediaTypes.OciManifest));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Accept(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Index(string rule, string source, params string[] headers) =>
        Rule(rule, source).Asks(["GET /v2/library/kinds/manifests/index", .. headers]).Says(200).Has("Content-Type", MediaTypes.OciIndex).Gives("index");
}
