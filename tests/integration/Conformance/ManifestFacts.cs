using Entrepot.TestSupport.Images;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Manifests by tag and by digest.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class ManifestFacts(Lab lab)
{
    internal static readonly Section All = new(
        "Manifests",
        Rule("A manifest by tag is the upstream's, byte for byte", PullManifests).Asks("GET /v2/library/small/manifests/1").Says(200).Gives("small"),
        Rule("A manifest by digest is the same bytes", PullManifests).Asks("GET /v2/library/small/manifests/{small}").Says(200).Gives("small"),
        Rule("A manifest says its media type, without parameters", PullManifests).Asks("GET /v2/library/small/manifests/1").Says(200).Has("Content-Type", MediaTypes.OciManifest),
        Rule("A manifest by tag says its digest", PullManifests).Asks("GET /v2/library/small/manifests/latest").Says(200).Has("Docker-Content-Digest", "{small}"),
        Rule("A manifest by digest says its digest", PullManifests).Asks("GET /v2/library/small/manifests/{small}").Says(200).Has("Docker-Content-Digest", "{small}"),
        Rule("A manifest says its exact length", "RFC 9110 §8.6").Asks("GET /v2/library/small/manifests/1").Says(200).Has("Content-Length", "{small.size}"),
        Rule("A manifest's ETag is its digest in quotes", "RFC 9110 §8.8.3").Asks("GET /v2/library/small/manifests/1").Says(200).Has("ETag", "\"{small}\""),
        Rule("HEAD of a tag has the headers of GET", CheckContent).Asks("GET /v2/library/small/manifests/1").Says(200).AlikeOnHead(),
        Rule("HEAD of a digest has the headers of GET", CheckContent).Asks("GET /v2/library/small/manifests/{small}").Says(200).AlikeOnHead(),
        Rule("HEAD of an index has the headers of GET", CheckContent).Asks("GET /v2/library/kinds/manifests/index").Says(200).AlikeOnHead(),
        Rule("HEAD has type, length and digest, without which clients fail", Ggcr).Asks("HEAD /v2/library/small/manifests/1").Says(200)
            .Has("Content-Type", MediaTypes.OciManifest).Has("Content-Length", "{small.size}").Has("Docker-Content-Digest", "{small}").GivesNothing(),
        Rule("HEAD of a cold tag has the length and digest of what has not been pulled yet", CheckContent)
            .Does("`HEAD` a tag that nobody has asked for", "`200`, type, exact `Content-Length`, `Docker-Content-Digest`", async lab =>
            {
                var (_, manifest, digest) = lab.NewRepository("manifests/cold-head");
                var head = await lab.HeadAsync("/v2/manifests/cold-head/manifests/1");
                Assert.Equal((200, digest, manifest.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), MediaTypes.OciManifest),
                    (head.Status, head.Header("Docker-Content-Digest"), head.Header("Content-Length"), head.Header("Content-Type")));
            }),
        Rule("HEAD of a cold digest has the length of what has not been pulled yet", CheckContent)
            .Does("`HEAD` a digest that nobody has asked for", "`200`, exact `Content-Length`", async lab =>
            {
                var (_, manifest, digest) = lab.NewRepository("manifests/cold-head-digest");
                var head = await lab.HeadAsync("/v2/manifests/cold-head-digest/manifests/" + digest);
                Assert.Equal((200, digest, manifest.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)), (head.Status, head.Header("Docker-Content-Digest"), head.Header("Content-Length")));
            }),
        Rule("A digest may be pulled whose tag was never seen", NsParameter).Does("`GET` by digest before any tag of the repository", "`200`, the bytes", async lab =>
        {
            var (_, manifest, digest) = lab.NewRepository("manifests/digest-first");
            var answer = await lab.GetAsync("/v2/manifests/digest-first/manifests/" + digest);
            Assert.Equal(200, answer.Status);
            Assert.Equal(manifest, answer.Body);
        }),
        Rule("A child of an index may be pulled by its digest", ImageIndex).Asks("GET /v2/library/kinds/manifests/{child}").Says(200).Gives("child"),
        Rule("A manifest by digest may be kept for a year", "RFC 9111 §5.2.2.1").Asks("GET /v2/library/small/manifests/{small}").Says(200).Has("Cache-Control", "max-age=31536000"),
        Rule("A manifest by tag may not be kept for a year", "RFC 9111 §5.2.2.1").Asks("GET /v2/library/small/manifests/1").Says(200)
            .That("no `Cache-Control` with a long `max-age`", (_, answer) => Assert.DoesNotContain(Fact.Values(answer, "Cache-Control"), value => value.Contains("31536000", StringComparison.Ordinal))),
        Rule("A manifest is never redirected", PullManifests).Asks("GET /v2/library/small/manifests/1").Says(200).HasNo("Location"),
        Rule("A Range on a manifest by tag is ignored", "RFC 9110 §14.2").Asks("GET /v2/library/small/manifests/1", "Range: bytes=0-9").Says(200).HasNo("Content-Range").Gives("small"),
        Rule("A Range on a manifest by digest is ignored", "RFC 9110 §14.2").Asks("GET /v2/library/small/manifests/{small}", "Range: bytes=999999-").Says(200).HasNo("Content-Range").Gives("small"),
        Rule("A manifest does not offer ranges", "RFC 9110 §14.3").Asks("GET /v2/library/small/manifests/1").Says(200).HasNo("Accept-Ranges"),
        Rule("A tag that the upstream does not have is unknown", PullManifests).Asks("GET /v2/library/small/manifests/none").Refuses(404, "MANIFEST_UNKNOWN", "library/small:none"),
        Rule("A digest that the upstream does not have is unknown", PullManifests).Asks("GET /v2/library/small/manifests/sha256:{0*64}").Refuses(404, "MANIFEST_UNKNOWN", "sha256:{0*64}"),
        Rule("A manifest of a repository that is not there is unknown", PullManifests).Asks("GET /v2/library/nowhere/manifests/1").Refuses(404, "MANIFEST_UNKNOWN", "library/nowhere:1"),
        Rule("HEAD of a tag that is not there is 404 without a body", CheckContent).Asks("HEAD /v2/library/small/manifests/not-here").Says(404).Has("Content-Type", "application/json").GivesNothing(),
        Rule("HEAD of a digest that is not there is 404 without a body", CheckContent).Asks("HEAD /v2/library/small/manifests/sha256:{1*64}").Says(404).GivesNothing(),
        Rule("A digest held for one repository is unknown in another whose upstream does not have it", PullManifests)
            .Does("pull by digest, then ask another repository for the same digest", "`404`, `MANIFEST_UNKNOWN`", async lab =>
            {
                lab.NewRepository("manifests/others-own");
                Assert.Equal(200, (await lab.GetAsync("/v2/library/small/manifests/{small}")).Status);
                var answer = await lab.GetAsync("/v2/manifests/others-own/manifests/{small}");
                Assert.Equal((404, "MANIFEST_UNKNOWN"), (answer.Status, Always.Error(answer).Code));
            }),
        Rule("A sha512 manifest is served under its sha512 digest", Digests).Asks("GET /v2/library/small/manifests/{small512}").Says(200)
            .Has("Docker-Content-Digest", "{small512}").Has("ETag", "\"{small512}\"").Gives("small512"),
        Rule("A tag of a sha512 manifest says the sha512 digest", Digests).Asks("GET /v2/library/small/manifests/512").Says(200).Has("Docker-Content-Digest", "{small512}").Gives("small512"),
        Rule("Odd whitespace, line ends and escapes stay as they are", PullManifests).Asks("GET /v2/library/kinds/manifests/odd").Says(200).Has("Docker-Content-Digest", "{odd}").Gives("odd"),
        Rule("A manifest of 4 MiB is served", "OCI distribution-spec v1.1, Pushing Manifests").Asks("GET /v2/library/kinds/manifests/biggest").Says(200).Has("Content-Length", "4194304").Gives("biggest"),
        Rule("A manifest of more than 4 MiB is refused, as the upstream's fault", "OCI distribution-spec v1.1, Pushing Manifests")
            .Asks("GET /v2/library/kinds/manifests/too-big").Refuses(502, "SIZE_INVALID", "4194304"),
        Rule("The digest is computed when the upstream does not say it", PullManifests).Asks("GET /v2/library/kinds/manifests/silent").Says(200).Has("Docker-Content-Digest", "{silent}").Gives("silent"),
        Rule("A manifest whose upstream is silent about its digest is found by it", PullManifests).Asks("GET /v2/library/kinds/manifests/{silent}").Says(200).Gives("silent"),
        Rule("Fifty requests for one cold tag are one request for its manifest at the upstream", Ours)
            .Does("50 times `GET` of a cold tag at once", "50 times `200`; upstream: one `GET` of the manifest", async lab =>
            {
                var (_, manifest, digest) = lab.NewRepository("manifests/herd");
                var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => lab.GetAsync("/v2/manifests/herd/manifests/1")));
                Assert.All(answers, answer => Assert.Equal(manifest, answer.Body));
                Assert.Single(lab.Upstream.Log.Matching("/v2/manifests/herd/manifests/", "GET"));
                Assert.Contains(answers, answer => answer.Header("Docker-Content-Digest") == digest);
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Manifests(RuleName rule) => All.CheckAsync(rule, lab);
}
