using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Nothing can be pushed or deleted.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class ReadOnlyFacts(Lab lab)
{
    private const string Push = "OCI distribution-spec v1.1, Push; Error Codes, UNSUPPORTED";
    private const string Delete = "OCI distribution-spec v1.1, Content Management; Error Codes, UNSUPPORTED";

    internal static readonly Section All = new(
        "Read-only",
        Refused("An upload can't be begun", "POST /v2/library/small/blobs/uploads/", Push),
        Refused("An upload can't be begun without the last slash", "POST /v2/library/small/blobs/uploads", Push),
        Refused("A blob can't be pushed in one request", "POST /v2/library/small/blobs/uploads/?digest={layer}", Push),
        Refused("A blob can't be mounted", "POST /v2/library/small/blobs/uploads/?mount={layer}&from=library/kinds", Push),
        Refused("A piece can't be uploaded", "PATCH /v2/library/small/blobs/uploads/abc", Push),
        Refused("An upload can't be finished", "PUT /v2/library/small/blobs/uploads/abc?digest={layer}", Push),
        Refused("An upload has no state to ask for", "GET /v2/library/small/blobs/uploads/abc", Push),
        Refused("An upload can't be cancelled", "DELETE /v2/library/small/blobs/uploads/abc", Push),
        Refused("A manifest can't be pushed by tag", "PUT /v2/library/small/manifests/new", Push),
        Refused("A manifest can't be pushed by digest", "PUT /v2/library/small/manifests/{small}", Push),
        Refused("A tag can't be deleted", "DELETE /v2/library/small/manifests/1", Delete),
        Refused("A manifest can't be deleted", "DELETE /v2/library/small/manifests/{small}", Delete),
        Refused("A blob can't be deleted", "DELETE /v2/library/small/blobs/{layer}", Delete),
        Refused("A blob can't be put", "PUT /v2/library/small/blobs/{layer}", Push),
        Refused("A list of tags can't be posted to", "POST /v2/library/small/tags/list", "RFC 9110 §15.5.6"),
        Refused("Referrers can't be deleted", "DELETE /v2/library/small/referrers/{small}", "RFC 9110 §15.5.6"),
        Refused("The base can't be posted to", "POST /v2/", "RFC 9110 §15.5.6"),
        Refused("The catalogue can't be put", "PUT /v2/_catalog", "RFC 9110 §15.5.6"),
        Refused("OPTIONS is not supported", "OPTIONS /v2/library/small/manifests/1", "RFC 9110 §15.5.6"),
        Refused("TRACE is not supported, and echoes nothing", "TRACE /v2/library/small/manifests/1", "RFC 9110 §9.3.8"),
        Refused("A method of other protocols is not supported", "PROPFIND /v2/library/small/manifests/1", "RFC 9110 §15.5.6"),
        Refused("Methods are told by case", "get /v2/library/small/manifests/1", "RFC 9110 §9.1"),
        Rule("HEAD of an upload is refused without a body", Push).Asks("HEAD /v2/library/small/blobs/uploads/abc").Says(405).Has("Allow", "GET, HEAD").GivesNothing(),
        Rule("A push to a bad name is refused for its name", Push).Asks("POST /v2/Library/blobs/uploads/", "Content-Length: 0").Refuses(400, "NAME_INVALID", "Library"),
        Rule("A push to a path that is no route is 404", Push).Asks("POST /v2/library/small", "Content-Length: 0").Refuses(404, "NAME_UNKNOWN", "/v2/library/small"),
        Rule("A refused push asks the upstream nothing", Ours)
            .Does("`PUT /v2/readonly/x/manifests/1` and `DELETE` of it", "`405` twice; upstream: not asked", async lab =>
            {
                Assert.Equal(405, (await lab.SendAsync("PUT /v2/readonly/x/manifests/1", "Content-Length: 0")).Status);
                Assert.Equal(405, (await lab.SendAsync("DELETE /v2/readonly/x/manifests/1", "Content-Length: 0")).Status);
                Assert.Empty(lab.Upstream.Log.Matching("/v2/readonly/x/"));
            }),
        Rule("What was refused to be deleted is still there", Ours)
            .Does("`DELETE` of a held blob, then `GET` of it", "`405`, then `200` with `X-Cache: HIT`", async lab =>
            {
                Assert.Equal(405, (await lab.SendAsync("DELETE /v2/library/small/blobs/{layer}", "Content-Length: 0")).Status);
                Assert.Equal((200, "HIT"), ((await lab.GetAsync("/v2/library/small/blobs/{layer}")).Status, (await lab.GetAsync("/v2/library/small/blobs/{layer}")).Header("X-Cache")));
            }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Read_only(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact Refused(string rule, string line, string source) =>
        Rule(rule, source).Asks(line.StartsWith("GET", StringComparison.Ordinal) ? [line] : [line, "Content-Length: 0"]).Refuses(405, "UNSUPPORTED", "read-only").Has("Allow", "GET, HEAD").HasNo("X-Cache");
}
