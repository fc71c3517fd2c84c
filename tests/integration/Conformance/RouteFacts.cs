using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Which paths there are.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class RouteFacts(Lab lab)
{
    internal static readonly Section All = new(
        "The base and the routes",
        Rule("The base is there", Support).Asks("GET /v2/").Says(200).GivesText("{}").Has("Content-Type", "application/json").AlikeOnHead(),
        Rule("The base is there without its slash, and is no redirect", Support).Asks("GET /v2").Says(200).GivesText("{}").HasNo("Location"),
        Rule("The base says which registry API it is", Legacy).Asks("GET /v2/").Says(200).Has("Docker-Distribution-Api-Version", "registry/2.0"),
        Rule("The base ignores a query", "RFC 9110 §4.2.2").Asks("GET /v2/?a=b").Says(200).GivesText("{}"),
        Rule("The base asks for no credential", "OCI distribution-spec v1.1, Determining Support").Asks("GET /v2/").Says(200).HasNo("WWW-Authenticate"),
        Rule("An Authorization header that nobody asked for does no harm", "RFC 9110 §11.6.2").Asks("GET /v2/", "Authorization: Basic dTpw").Says(200),
        Rule("A path that is no route is unknown", Endpoints).Asks("GET /v2/nothing").Refuses(404, "NAME_UNKNOWN", "/v2/nothing"),
        Rule("A name alone is no route", Endpoints).Asks("GET /v2/library/small").Refuses(404, "NAME_UNKNOWN", "/v2/library/small"),
        Rule("A route that no registry has is unknown", Endpoints).Asks("GET /v2/library/small/signatures/{small}").Refuses(404, "NAME_UNKNOWN", "signatures"),
        Rule("Tags have no other route than list", ListTags).Asks("GET /v2/library/small/tags/all").Refuses(404, "NAME_UNKNOWN", "tags/all"),
        Rule("Manifests have no list", Endpoints).Asks("GET /v2/library/small/manifests").Refuses(404, "NAME_UNKNOWN", "manifests"),
        Rule("A slash behind a list of tags makes it another path", Endpoints).Asks("GET /v2/library/small/tags/list/").Refuses(404, "NAME_UNKNOWN", "tags/list/"),
        Rule("A slash behind a digest makes it another path", Endpoints).Asks("GET /v2/library/small/blobs/{layer}/").Refuses(404, "NAME_UNKNOWN", "blobs/"),
        Rule("Something behind a digest makes it another path", Endpoints).Asks("GET /v2/library/small/manifests/{small}/more").Refuses(404, "NAME_UNKNOWN", "/more"),
        Rule("A slash behind the catalogue makes it another path", Catalog).Asks("GET /v2/_catalog/").Refuses(404, "NAME_UNKNOWN", "_catalog/"),
        Rule("The words of routes are told by case", Endpoints).Asks("GET /v2/library/small/Manifests/1").Refuses(404, "NAME_UNKNOWN", "Manifests"),
        Rule("The extension paths of the specification are unknown here", "OCI distribution-spec v1.1, API Extensions").Asks("GET /v2/_oci/ext/discover").Refuses(404, "NAME_UNKNOWN", "_oci/ext/discover"),
        Rule("Two slashes behind the base are no base", Endpoints).Asks("GET /v2//").Refuses(404, "NAME_UNKNOWN", "/v2//"),
        Rule("A message about an unknown path says which there are", Ours).Asks("GET /v2/x").Refuses(404, "NAME_UNKNOWN", "/v2/<name>/manifests/<tag or digest>"),
        Rule("What is in the query does no harm", "RFC 9110 §4.2.2").Asks("GET /v2/library/small/manifests/1?&&=&a=%zz&b[]=%00&%20").Says(200).Gives("small"),
        Rule("A question mark without a query does no harm", "RFC 3986 §3.4").Asks("GET /v2/library/small/manifests/1?").Says(200).Gives("small"),
        Rule("A second question mark belongs to the query", "RFC 3986 §3.4").Asks("GET /v2/library/small/manifests/1?a?b/blobs/c").Says(200).Gives("small"),
        Rule("A path that climbs above the base reaches nothing of the host", "RFC 3986 §5.2.4")
            .Does("`GET /v2/../../etc/passwd` and `GET /v2/%2e%2e/%2e%2e/etc/passwd`", "`404` or `400`, no byte of the file", async lab =>
            {
                foreach (var path in new[] { "/v2/../../etc/passwd", "/v2/%2e%2e/%2e%2e/etc/passwd" })
                {
                    var answer = await TestSupport.Clients.RawHttp.SendAsync(lab.Entrepot.Port, $"GET {path} HTTP/1.1", "Host: x", "Connection: close");
                    Assert.True(answer.Status is 400 or 404, Lab.Show(answer));
                    Assert.DoesNotContain("root:", System.Text.Encoding.Latin1.GetString(answer.Body), StringComparison.Ordinal);
                }
            }),
        Rule("Version 1 of the API is not there", DockerApi).Does("`GET /v1/_ping`", "`404`", async lab =>
            Assert.Equal(404, (await TestSupport.Clients.RawHttp.SendAsync(lab.Entrepot.Port, "GET /v1/_ping HTTP/1.1", "Host: x", "Connection: close")).Status)),
        Rule("The base is told by case", Endpoints).Does("`GET /V2/`", "`404`", async lab =>
            Assert.Equal(404, (await TestSupport.Clients.RawHttp.SendAsync(lab.Entrepot.Port, "GET /V2/ HTTP/1.1", "Host: x", "Connection: close")).Status)),
        Rule("A path that only begins like the base is not the registry's", Endpoints).Does("`GET /v2x/library/small/manifests/1`", "`404`", async lab =>
            Assert.Equal(404, (await TestSupport.Clients.RawHttp.SendAsync(lab.Entrepot.Port, "GET /v2x/library/small/manifests/1 HTTP/1.1", "Host: x", "Connection: close")).Status)));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Routes(RuleName rule) => All.CheckAsync(rule, lab);
}
