using Entrepot.TestSupport.Clients;
using Xunit;
using static Entrepot.IntegrationTests.Conformance.Section;
using static Entrepot.IntegrationTests.Conformance.Sources;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Which upstream a request means. Only quay.io has the Docker image as library/small:1; everywhere else it is the small image.</summary>
[Collection(ConformanceCollection.Name)]
public sealed class RoutingFacts(Lab lab)
{
    private const string Mirror = "Docker's registry-mirrors";
    private const string Prefix = "podman and CRI-O, mirrors with a path";
    private const string VirtualHost = "containerd, hosts.toml with a host of its own";
    private const string HostsOf = "an Entrepot with `Upstreams:quay.io:Hosts` of `mirror.test` and `cache.test:5001`";

    internal static readonly Section All = new(
        "Which upstream is meant",
        To("Without more the default upstream is meant", "library/small", "small", Mirror).HasNo("OCI-Namespace"),
        To("ns names the upstream", "library/small", "docker", NsParameter, "?ns=quay.io").Has("OCI-Namespace", "quay.io"),
        To("ns is compared without case and echoed as it was sent", "library/small", "docker", NsParameter, "?ns=QUAY.io").Has("OCI-Namespace", "QUAY.io"),
        To("ns may be escaped", "library/small", "docker", NsParameter, "?ns=quay%2Eio").Has("OCI-Namespace", "quay.io"),
        To("ns may have a port", "library/small", "small", NsParameter, "?ns=registry.test:5000").Has("OCI-Namespace", "registry.test:5000"),
        To("An escaped port is a port", "library/small", "small", NsParameter, "?ns=registry.test%3A5000").Has("OCI-Namespace", "registry.test:5000"),
        To("docker.io is Docker Hub", "library/small", "small", NsParameter, "?ns=docker.io").Has("OCI-Namespace", "docker.io"),
        To("index.docker.io is Docker Hub", "library/small", "small", NsParameter, "?ns=index.docker.io").Has("OCI-Namespace", "index.docker.io"),
        To("registry-1.docker.io is Docker Hub", "library/small", "small", NsParameter, "?ns=registry-1.docker.io").Has("OCI-Namespace", "registry-1.docker.io"),
        To("A name of one part is in library at Docker Hub", "small", "small", "Docker, reference grammar", "?ns=docker.io"),
        To("ns among other things in the query is found", "library/small", "docker", NsParameter, "?a=b&ns=quay.io&c"),
        To("An empty ns is as none", "library/small", "small", NsParameter, "?ns=").HasNo("OCI-Namespace"),
        To("ns is told by case from other names", "library/small", "small", NsParameter, "?namespace=quay.io").HasNo("OCI-Namespace"),
        To("The name of an upstream as the first part means it", "quay.io/library/small", "docker", Prefix).HasNo("OCI-Namespace"),
        To("A short prefix as the first part means its upstream", "quay/library/small", "docker", Prefix).HasNo("OCI-Namespace"),
        To("The name of Docker Hub as the first part means it", "docker.io/library/small", "small", Prefix),
        To("A name of one part behind Docker Hub's name is in library", "docker.io/small", "small", Prefix),
        To("An alias of Docker Hub as the first part means it", "registry-1.docker.io/library/small", "small", Prefix),
        To("A first part and an ns that agree are one", "quay.io/library/small", "docker", "podman, mirrors with a path, and ns", "?ns=quay.io").Has("OCI-Namespace", "quay.io"),
        Rule("ns comes before the first part of the path", NsParameter).Asks("GET /v2/quay.io/library/small/manifests/1?ns=docker.io").Refuses(404, "MANIFEST_UNKNOWN", "quay.io/library/small:1"),
        Rule("A name of one part gets library only at Docker Hub", "Docker, reference grammar").Asks("GET /v2/small/manifests/1?ns=quay.io").Refuses(404, "MANIFEST_UNKNOWN", "small:1"),
        Rule("A first part that looks like a host and is none of ours is part of the name", Ours).Asks("GET /v2/unknown.example/library/small/manifests/1").Refuses(404, "MANIFEST_UNKNOWN", "unknown.example/library/small"),
        Rule("An upstream's name alone is no repository of it", Ours).Asks("GET /v2/quay.io/manifests/1").Refuses(404, "MANIFEST_UNKNOWN", "quay.io:1"),
        Unknown("An unknown ns is refused: this is no open proxy", "evil.example"),
        Unknown("A ns that is an address is refused", "169.254.169.254"),
        Unknown("A ns that is a URL is refused", "http://169.254.169.254/latest"),
        Unknown("A ns with the right host and another port is refused", "quay.io:444"),
        Unknown("A ns with a dot at its end is refused", "quay.io."),
        Unknown("A ns below a known one is refused", "cdn.quay.io"),
        Unknown("A short prefix is no ns", "quay"),
        Rule("Two ns are refused", NsParameter).Asks("GET /v2/library/small/manifests/1?ns=quay.io&ns=docker.io").Refuses(404, "NAME_UNKNOWN", "quay.io,docker.io").HasNo("OCI-Namespace"),
        Rule("A line feed in ns makes no header", "RFC 9112 §11.1").Asks("GET /v2/library/small/manifests/1?ns=quay.io%0d%0aX-Injected:%201").Refuses(404, "NAME_UNKNOWN", "quay.io??X-Injected").HasNo("X-Injected").HasNo("OCI-Namespace"),
        Rule("An ns of 4 KiB is refused with a short message", NsParameter).Asks("GET /v2/library/small/manifests/1?ns={n*4096}").Refuses(404, "NAME_UNKNOWN", "{n*128}")
            .That("at most 1 KiB", (_, answer) => Assert.InRange(answer.Body.Length, 1, 1024)),
        Rule("The message about an unknown ns names those that are known", Ours).Asks("GET /v2/library/small/manifests/1?ns=x.example").Refuses(404, "NAME_UNKNOWN", "quay.io"),
        Rule("ns is echoed on HEAD", NsParameter).Asks("HEAD /v2/library/small/manifests/1?ns=docker.io").Says(200).Has("OCI-Namespace", "docker.io"),
        Rule("ns is echoed on blobs", NsParameter).Asks("GET /v2/library/small/blobs/{layer}?ns=docker.io").Says(200).Has("OCI-Namespace", "docker.io").Gives("layer"),
        Rule("ns is echoed on parts of blobs", NsParameter).Asks("GET /v2/library/small/blobs/{layer}?ns=docker.io", "Range: bytes=0-9").Says(206).Has("OCI-Namespace", "docker.io"),
        Rule("ns is echoed on 304", NsParameter).Asks("GET /v2/library/small/manifests/1?ns=docker.io", "If-None-Match: \"{small}\"").Says(304).Has("OCI-Namespace", "docker.io"),
        Rule("ns is echoed on what its upstream does not have", NsParameter).Asks("GET /v2/library/small/manifests/none-here?ns=docker.io").Refuses(404, "MANIFEST_UNKNOWN", "library/small:none-here").Has("OCI-Namespace", "docker.io"),
        Rule("The base ignores ns", Support).Asks("GET /v2/?ns=quay.io").Says(200),
        Rule("The base ignores an unknown ns, as containerd may send it", Support).Asks("GET /v2/?ns=evil.example").Says(200),
        Rule("Whatever the way, it is one manifest in one store", Ours)
            .Does("the same new tag by `ns`, by first part and as a name of one part", "the same digest; upstream: one `GET` of the manifest", async lab =>
            {
                var (_, _, digest) = lab.NewRepository("library/one-store");
                foreach (var path in new[] { "library/one-store/manifests/1?ns=docker.io", "one-store/manifests/1?ns=docker.io", "docker.io/library/one-store/manifests/1", "docker.io/one-store/manifests/1", "one-store/manifests/1?ns=index.docker.io" })
                    Assert.Equal(digest, (await lab.GetAsync("/v2/" + path)).Header("Docker-Content-Digest"));
                Assert.Single(lab.Upstream.Log.Matching("/v2/library/one-store/manifests/", "GET"));
            }),
        Hosted("A Host that an upstream claims means it", "docker", "Host: mirror.test").HasNo("OCI-Namespace"),
        Hosted("A Host is compared without case", "docker", "Host: MIRROR.test"),
        Hosted("A Host that is claimed without a port is claimed with any", "docker", "Host: mirror.test:8443"),
        Hosted("A Host that is claimed with a port is claimed with that", "docker", "Host: cache.test:5001"),
        Hosted("A Host that is claimed with a port is not claimed with another", "small", "Host: cache.test:5002"),
        Hosted("A Host that nobody claims means the default upstream", "small", "Host: other.test"),
        Rule("ns comes before Host", VirtualHost).At(HostsOf, HostsAsync).Asks("GET /v2/library/small/manifests/1?ns=docker.io", "Host: mirror.test").Says(200).Has("Docker-Content-Digest", "{small}"),
        Rule("Host comes before the first part of the path", VirtualHost).At(HostsOf, HostsAsync).Asks("GET /v2/docker.io/library/small/manifests/1", "Host: mirror.test").Refuses(404, "MANIFEST_UNKNOWN", "docker.io/library/small:1"));

    public static TheoryData<RuleName> Rules => All.Rules;

    [Theory]
    [MemberData(nameof(Rules))]
    public Task Routing(RuleName rule) => All.CheckAsync(rule, lab);

    private static Fact To(string rule, string name, string content, string source, string query = "") =>
        Rule(rule, source).Asks($"GET /v2/{name}/manifests/1{query}").Says(200).Has("Docker-Content-Digest", $"{{{content}}}");

    private static Fact Unknown(string rule, string ns) => Rule(rule, NsParameter)
        .Asks($"GET /v2/library/small/manifests/1?ns={ns}").Refuses(404, "NAME_UNKNOWN", $"'{ns}'").HasNo("OCI-Namespace").HasNo("X-Cache");

    private static Fact Hosted(string rule, string content, string host) => Rule(rule, VirtualHost)
        .At(HostsOf, HostsAsync).Asks("GET /v2/library/small/manifests/1", host).Says(200).Has("Docker-Content-Digest", $"{{{content}}}");

    private static async Task<int> HostsAsync(Lab lab) => (await lab.OnceAsync("hosts", () =>
        lab.StartAnotherAsync(settings => settings.Add("quay.io", lab.OtherUrl, ("Hosts", new[] { "mirror.test", "cache.test:5001" }))))).Port;
}
