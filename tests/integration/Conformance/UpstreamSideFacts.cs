using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Upstream;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What the upstream sees of a pull.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class UpstreamSideFacts(Lab lab)
{
    private static readonly Dictionary<string, string> Said = new()
    {
        ["headers"] = "`GET` a cold tag with `Authorization`, `Cookie`, `X-Forwarded-For`, `User-Agent`, `If-None-Match`, `Accept-Encoding`",
        ["query"] = "`GET` a cold tag with a query",
        ["range"] = "`GET` a part of a cold blob",
        ["host"] = "`GET` a cold tag with `Host: client.test`",
    };

    private const string Hub = "Docker Hub, pull limit";

    internal static readonly Section All = new(
        "What the upstream is asked",
        Rule("A cold tag is one HEAD of the tag and one GET of its digest", Hub).Does("`GET` a cold tag", "upstream: `HEAD …/manifests/1`, then `GET …/manifests/sha256:…`", async lab =>
        {
            var (_, _, digest) = lab.NewRepository("asked/tag");
            await lab.GetAsync("/v2/asked/tag/manifests/1");
            Assert.Equal([("HEAD", "/v2/asked/tag/manifests/1"), ("GET", "/v2/asked/tag/manifests/" + digest)], Asked(lab, "/v2/asked/tag/"));
        }),
        Rule("A cold digest is one GET", Hub).Does("`GET` a cold digest", "upstream: `GET …/manifests/sha256:…`", async lab =>
        {
            var (_, _, digest) = lab.NewRepository("asked/digest");
            await lab.GetAsync("/v2/asked/digest/manifests/" + digest);
            Assert.Equal([("GET", "/v2/asked/digest/manifests/" + digest)], Asked(lab, "/v2/asked/digest/"));
        }),
        Rule("A second tag of a held manifest costs no GET", Hub).Does("`GET` two tags of one manifest", "upstream: one `GET`", async lab =>
        {
            var (repository, _, digest) = lab.NewRepository("asked/second");
            repository.Tag("2", digest);
            await lab.GetAsync("/v2/asked/second/manifests/1");
            Assert.Equal(200, (await lab.GetAsync("/v2/asked/second/manifests/2")).Status);
            Assert.Single(lab.Upstream.Log.Matching("/v2/asked/second/", "GET"));
        }),
        Rule("A tag within its TTL asks nothing", Ours).Does("`GET` a tag three times", "upstream: asked for it once", async lab =>
        {
            lab.NewRepository("asked/ttl");
            for (var i = 0; i < 3; i++) await lab.GetAsync("/v2/asked/ttl/manifests/1");
            Assert.Single(lab.Upstream.Log.Matching("/v2/asked/ttl/manifests/1"));
        }),
        Rule("The manifest of an index is not pulled before somebody asks for it", Ours).Does("`GET` an index", "upstream: not asked for its children", async lab =>
        {
            lab.Registry.Repository("asked/index").AddManifest(lab.Bytes("index"), MediaTypes.OciIndex, "1");
            await lab.GetAsync("/v2/asked/index/manifests/1");
            Assert.Empty(lab.Upstream.Log.Matching(lab.Fill("/v2/asked/index/manifests/{child}")));
        }),
        Rule("The upstream is asked for all kinds of manifests, whatever the client's Accept", PullManifests).Does($"`GET` a cold tag with `Accept: {MediaTypes.DockerManifest}`", $"upstream: `Accept: {MediaTypes.AcceptAll}, */*;q=0.1`", async lab =>
        {
            lab.NewRepository("asked/accept");
            await lab.GetAsync("/v2/asked/accept/manifests/1", $"Accept: {MediaTypes.DockerManifest}");
            Assert.All(Seen(lab, "/v2/asked/accept/"), request => Assert.Equal($"{MediaTypes.AcceptAll}, */*;q=0.1", request.Headers["accept"].Replace(",", ", ", StringComparison.Ordinal).Replace(",  ", ", ", StringComparison.Ordinal)));
        }),
        Straight("The client's credential, cookies and address stay here", "headers", async (lab, port) =>
        {
            await lab.SendToAsync(port, "GET /v2/asked/headers/manifests/1", "Authorization: Bearer secret", "Cookie: a=b", "X-Forwarded-For: 1.2.3.4", "User-Agent: client/1", "If-None-Match: \"x\"", "Accept-Encoding: gzip");
            foreach (var request in Seen(lab, "/v2/asked/headers/"))
            {
                foreach (var name in new[] { "authorization", "cookie", "x-forwarded-for", "if-none-match" }) Assert.DoesNotContain(name, request.Headers.Keys);
                Assert.DoesNotContain("client/1", request.Headers.GetValueOrDefault("user-agent") ?? "", StringComparison.Ordinal);
                Assert.DoesNotContain("gzip", request.Headers.GetValueOrDefault("accept-encoding") ?? "", StringComparison.Ordinal);
            }
        }),
        Straight("The client's query stays here", "query", async (lab, port) =>
        {
            await lab.SendToAsync(port, "GET /v2/asked/query/manifests/1?ns=docker.io&token=secret&x");
            Assert.All(Seen(lab, "/v2/asked/query/"), request => Assert.Equal("", request.Query));
        }),
        Straight("The client's Range stays here: the whole is fetched", "range", async (lab, port) =>
        {
            await lab.SendToAsync(port, "GET /v2/asked/range/blobs/{layer}", "Range: bytes=5000-5099");
            Assert.All(Seen(lab, "/v2/asked/range/blobs/"), request => Assert.DoesNotContain("5000", request.Headers.GetValueOrDefault("range") ?? "", StringComparison.Ordinal));
        }),
        Straight("The client's Host stays here", "host", async (lab, port) =>
        {
            await lab.SendToAsync(port, "GET /v2/asked/host/manifests/1", "Host: client.test");
            Assert.All(Seen(lab, "/v2/asked/host/"), request => Assert.Equal(lab.Registry.Url.Authority, request.Headers["host"]));
        }),
        Rule("A name of one part is asked for in library at Docker Hub", "Docker, reference grammar").Does("`GET /v2/asked-official/manifests/1?ns=docker.io`", "upstream: `/v2/library/asked-official/…`", async lab =>
        {
            lab.NewRepository("library/asked-official");
            Assert.Equal(200, (await lab.GetAsync("/v2/asked-official/manifests/1?ns=docker.io")).Status);
            Assert.NotEmpty(lab.Upstream.Log.Matching("/v2/library/asked-official/"));
            Assert.Empty(lab.Upstream.Log.Matching("/v2/asked-official/"));
        }),
        Rule("Tags are asked for in large pages, not in the client's", ListTags).Does("`GET …/tags/list?n=1&last=a`", "upstream: `n=1000`, no `last`", async lab =>
        {
            lab.NewRepository("asked/tags");
            await lab.GetAsync("/v2/asked/tags/tags/list?n=1&last=a");
            Assert.Equal("?n=1000", Assert.Single(lab.Upstream.Log.Matching("/v2/asked/tags/tags/list")).Query);
        }),
        Rule("Referrers are asked for unfiltered, once for all filters", ListReferrers).Does("`GET` referrers with two filters", "upstream: one request without `artifactType`", async lab =>
        {
            lab.NewRepository("asked/referrers");
            foreach (var type in new[] { "a/b", "c/d" }) await lab.GetAsync("/v2/asked/referrers/referrers/{small}?artifactType=" + type);
            Assert.DoesNotContain("artifactType", Assert.Single(lab.Upstream.Log.Matching("/v2/asked/referrers/referrers/")).Query, StringComparison.Ordinal);
        }),
        Rule("A blob behind a redirect is fetched without the token", "RFC 9110 §15.4; OCI distribution-spec v1.1, Pulling blobs").Does("`GET` a blob that the upstream redirects to another host, which refuses credentials", "`200`, the bytes; no `Location` to the client", async lab =>
        {
            var (hub, entrepot) = await lab.HubAsync();
            var answer = await lab.SendToAsync(entrepot.Port, "GET /v2/library/small/blobs/{layer}");
            Assert.Equal((200, (string?)null), (answer.Status, answer.Header("Location")));
            Assert.Equal(lab.Bytes("layer"), answer.Body);
            Assert.All(hub.Cdn.Log.All, request => Assert.False(request.HasAuthorization));
        }),
        Rule("A token is asked for one repository, once", "Docker Registry, token authentication").Does("`GET` a tag and a blob of a registry that wants a token", "`200`; upstream: one token of that repository", async lab =>
        {
            var (hub, entrepot) = await lab.HubAsync();
            Assert.Equal(200, (await lab.SendToAsync(entrepot.Port, "GET /v2/library/small/manifests/1")).Status);
            Assert.Equal(200, (await lab.SendToAsync(entrepot.Port, "GET /v2/library/small/blobs/{layer}")).Status);
            Assert.Equal(1, hub.TokensGiven("library/small"));
        }),
        Rule("The upstream's pull limit is not passed on", Ours).Does("`GET` a tag of a registry that says `RateLimit-Remaining`", "no such header", async lab =>
        {
            var (_, entrepot) = await lab.HubAsync();
            var answer = await lab.SendToAsync(entrepot.Port, "GET /v2/library/small/manifests/1");
            Assert.Equal(200, answer.Status);
            Assert.DoesNotContain(answer.Headers, header => header.Key.StartsWith("RateLimit", StringComparison.OrdinalIgnoreCase));
        }));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task What_the_upstream_is_asked(RuleName rule) => All.CheckAsync(rule, lab);

    /// <summary>Without the front between, which passes on few headers.</summary>
    private static Fact Straight(string rule, string name, Func<Lab, int, Task> story) => Rule(rule, "RFC 9110 §7.6")
        .Does(Said[name], "upstream: sees none of it", async lab =>
        {
            lab.NewRepository("asked/" + name);
            await story(lab, (await lab.OnceAsync("straight", () => lab.StartAnotherAsync(upstream: lab.Registry.Url))).Port);
            Assert.NotEmpty(Seen(lab, $"/v2/asked/{name}/"));
        });

    private static IEnumerable<(string Method, string Path)> Asked(Lab lab, string path) => lab.Upstream.Log.Matching(path).Select(request => (request.Method, request.Path));

    private static IReadOnlyList<MemoryRequest> Seen(Lab lab, string path) => [.. lab.Registry.Requests.Where(request => request.Path.StartsWith(path, StringComparison.Ordinal))];
}
