using System.ComponentModel;

namespace Entrepot.Upstreams;

/// <summary>One upstream registry as configured under <c>Upstreams:NAME</c>. <see cref="UpstreamCatalog.Validate"/> holds the bounds.</summary>
public sealed class UpstreamOptions
{
    /// <summary>Where the registry's API is, without <c>/v2</c>.</summary>
    [Description("Where the registry's API is, such as https://ghcr.io, without /v2. Plain http is used only when it is written here.")]
    public Uri? Url { get; set; }

    /// <summary>A short first path segment that leads to this upstream besides its name.</summary>
    [Description("A short first path segment that leads to this upstream besides its name, such as docker-io. None by default.")]
    public string? Prefix { get; set; }

    /// <summary>The account used at the upstream.</summary>
    [Description("The account used at the upstream. Anonymous by default.")]
    public string? Username { get; set; }

    /// <summary>The account's password or access token.</summary>
    [Description("The account's password or access token.")]
    [PasswordPropertyText(true)]
    public string? Password { get; set; }

    /// <summary>Whether everybody may pull from it.</summary>
    [Description("Public, when anybody may pull from it; Private makes it a trust domain of its own, as credentials do. Default Public.")]
    public UpstreamVisibility Visibility { get; set; } = UpstreamVisibility.Public;

    /// <summary>How long a tag is served before it is checked again.</summary>
    [Description("How long a tag is served before the upstream is asked whether it has moved. Default 60 s, 0 to 30 days.")]
    public TimeSpan TagTtl { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>TTLs of tags by pattern; the shortest of those that match goes before <see cref="TagTtl"/>.</summary>
    [Description("TTLs of tags by regular expression, such as \"^v[0-9]\": \"1h\". Of several that match the shortest counts, and goes before TagTtl. None by default; each 0 to 30 days.")]
    public Dictionary<string, TimeSpan> TagTtls { get; set; } = [];

    /// <summary>Patterns of tags that never move.</summary>
    [Description("Regular expressions of tags that never move: once held, the upstream is never asked for them again. [\".*\"] is every tag but the exclusions. None by default.")]
    public string[] ImmutableTags { get; set; } = [];

    /// <summary>Patterns of tags that move all the same.</summary>
    [Description("Regular expressions of tags that ImmutableTags does not mean.")]
    public string[] ImmutableTagExclusions { get; set; } = ["^latest$", "^nightly.*$"];

    /// <summary>For how long after its TTL a held tag is answered at once while it is checked.</summary>
    [Description("For how long after its TTL a held tag is still answered at once, while it is checked behind. Default 0 (the answer waits for the check), to 30 days.")]
    public TimeSpan StaleWhileRevalidate { get; set; }

    /// <summary>What it means when a held tag is gone from the upstream.</summary>
    [Description("What it means when a held tag is gone from the upstream: ServeStale serves it with a warning for TagGoneMaxAge; NotFound makes it 404 here too.")]
    public TagGone TagGone { get; set; } = TagGone.ServeStale;

    /// <summary>How long a tag that is gone is served, from the time the upstream last confirmed it.</summary>
    [Description("How long after the upstream last confirmed it a tag that is gone is still served. Default 30 days, 0 to 10 years.")]
    public TimeSpan TagGoneMaxAge { get; set; } = TimeSpan.FromDays(30);

    /// <summary>How long the upstream's word that something is not there counts.</summary>
    [Description("How long the upstream's word that something is not there counts. Default 10 s, 0 to 1 min.")]
    public TimeSpan NotFoundTtl { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>TTL, there or not there, of tags that hold signatures.</summary>
    [Description("How long it counts that a tag such as sha256-HEX.sig (cosign's signatures, attestations, SBOMs; the referrers tag) is there, or is not. These are never immutable, and there no longer than TagTtl. Default 30 s, 0 to 1 min.")]
    public TimeSpan SignatureTagTtl { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Host names of this cache that mean this upstream.</summary>
    [Description("Hosts (host, at any port, or host:port) of this cache itself that mean this upstream: a request with such a Host header needs no path prefix. None by default.")]
    public string[] Hosts { get; set; } = [];

    /// <summary>Over how many connections one large blob is downloaded.</summary>
    [Description("Over how many connections one large blob is downloaded; 1 switches ranges off. Default 4, 1 to 16.")]
    public int Connections { get; set; } = 4;

    /// <summary>How many requests may be open at this upstream at once, per process.</summary>
    [Description("How many requests, running bodies included, may be open at this upstream at once, per process. A quarter of them is kept for manifests and other small things. Default 32, 1 to 1024.")]
    public int MaxConcurrentRequests { get; set; } = 32;

    /// <summary>Longest wait for a connection, TLS included.</summary>
    [Description("Longest wait for a connection, TLS included. Default 5 s, 100 ms to 1 min.")]
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest wait for the headers of a response.</summary>
    [Description("Longest wait for the headers of a response, connecting included. Default 15 s, 1 s to 5 min.")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>Longest silence in the middle of a body.</summary>
    [Description("Longest silence in the middle of a body; a moving transfer has no deadline. Default 30 s, 1 s to 10 min.")]
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Hosts, besides those of the upstream's own domain, that may be asked for tokens and be sent the credential.</summary>
    [Description("Hosts (host or host:port), besides those of the upstream's own domain, that may be asked for tokens and be sent the credential. None by default.")]
    public string[] TokenHosts { get; set; } = [];
}
