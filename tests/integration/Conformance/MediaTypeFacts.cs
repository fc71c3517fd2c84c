using System.Text;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Kinds of manifests, and what their type is when the upstream is vague.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class MediaTypeFacts(Lab lab)
{
    internal static readonly Section All = new(
        "Kinds of manifests",
        Kind("A Docker image manifest keeps its type and bytes", "docker", MediaTypes.DockerManifest, DockerV22),
        Kind("An OCI index keeps its type and bytes, attestations for an unknown platform included", "index", MediaTypes.OciIndex, ImageIndex),
        Kind("A Docker manifest list keeps its type and bytes", "manifest-list", MediaTypes.DockerList, DockerV22),
        Kind("An index of an index keeps its type and bytes", "nested", MediaTypes.OciIndex, ImageIndex),
        Kind("An index without manifests is an index", "no-children", MediaTypes.OciIndex, ImageIndex),
        Kind("An artifact manifest of the release candidates is served as it is", "artifact", LabContents.OciArtifact, "OCI image-spec v1.1.0-rc2, artifact.md"),
        Kind("An unsigned schema 1 manifest is served as it is", "schema1", LabContents.Schema1, DockerV21),
        Kind("A signed schema 1 manifest is served as it is, under the digest of its payload", "signed", LabContents.Schema1Signed, DockerV21),
        Kind("A vendor's own type is served as it is", "vendor", LabContents.Vendor, PullManifests),
        Kind("An image with a subject and an artifact type is served as it is", "artifact-image", MediaTypes.OciManifest, ImageManifest),
        Kind("An image with a foreign layer is served as it is", "foreign", MediaTypes.DockerManifest, DockerV22),
        Kind("application/json without a mediaType is told by its fields: an image", "json", MediaTypes.OciManifest, ImageManifest),
        Kind("application/json without a mediaType is told by its fields: an index", "json-index", MediaTypes.OciIndex, ImageIndex),
        Kind("A missing Content-Type gives way to the body's mediaType", "typeless", MediaTypes.OciManifest, ImageManifest),
        Kind("text/plain gives way to the body's mediaType", "plain", MediaTypes.DockerManifest, DockerV22),
        Kind("A charset behind the upstream's type is not passed on", "charset", MediaTypes.OciManifest, "RFC 6838 §4.2.1"),
        Rule("HEAD of a manifest whose upstream says no type says the type that GET says", CheckContent).Asks("GET /v2/library/kinds/manifests/typeless").Says(200).AlikeOnHead(),
        Rule("A list is not turned into an image for a client that did not ask for lists by digest", PullManifests)
            .Asks("GET /v2/library/kinds/manifests/{manifest-list}", $"Accept: {MediaTypes.DockerManifest}").Says(200).Has("Content-Type", MediaTypes.DockerList).Gives("manifest-list"),
        Wrong("A web page in place of a manifest is refused", "page", "<html>sign in</html>", "text/html", "HTML"),
        Wrong("A document that is no JSON is refused", "no-json", "not json", MediaTypes.OciManifest, "not JSON"),
        Wrong("A JSON document that is no manifest is refused", "no-manifest", "{\"hello\":\"world\"}", "application/json", "not a manifest"),
        Wrong("A JSON list is no manifest", "a-list", "[]", MediaTypes.OciManifest, "not a JSON object"),
        Wrong("An empty body is no manifest", "nothing", "", MediaTypes.OciManifest, "0 bytes"),
        Wrong("A manifest that could be read as image and as index is refused", "both", "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"a/b\",\"digest\":\"sha256:{a*64}\",\"size\":1},\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:{a*64}\",\"size\":1}]}", "application/json", "more than one kind"),
        Wrong("A manifest whose Content-Type contradicts its mediaType is refused", "contradiction", $"{{\"schemaVersion\":2,\"mediaType\":\"{MediaTypes.OciManifest}\",\"layers\":[]}}", MediaTypes.OciIndex, MediaTypes.OciIndex),
        Wrong("A manifest that lists an invalid digest is refused", "bad-digest", "{\"schemaVersion\":2,\"layers\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../x\",\"size\":1}]}", MediaTypes.OciManifest, "digest"),
        Wrong("A manifest that lists a negative size is refused", "bad-size", "{\"schemaVersion\":2,\"layers\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:{a*64}\",\"size\":-1}]}", MediaTypes.OciManifest, "size"));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Kinds_of_manifests(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Kind(string rule, string content, string mediaType, string source) => Rule(rule, source)
        .Asks($"GET /v2/library/kinds/manifests/{content}").Says(200).Has("Content-Type", mediaType).Has("Docker-Content-Digest", $"{{{content}}}").Gives(content);

    private static Fact Wrong(string rule, string name, string body, string contentType, string named) => Rule(rule, MediaTypeConflict)
        .Does($"the upstream has as {contentType}: `{(body.Length > 150 ? body[..150] + "…" : body)}`", $"`502`, `MANIFEST_INVALID`, names `{named}`", async lab =>
        {
            lab.Registry.Repository("wrong/" + name).AddManifest(Encoding.UTF8.GetBytes(lab.Fill(body)), contentType, "1");
            var answer = await lab.GetAsync($"/v2/wrong/{name}/manifests/1");
            Assert.Equal((502, "MANIFEST_INVALID"), (answer.Status, Always.Error(answer).Code));
            Assert.Contains(named, Always.Error(answer).Message, StringComparison.OrdinalIgnoreCase);
        });
}
