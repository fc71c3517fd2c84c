using Entrepot.Contracts;

namespace Entrepot.Upstreams;

/// <summary>One configured upstream registry. Immutable as long as nobody changes its options, which nobody may after start.</summary>
public sealed class Upstream
{
    /// <summary>The trust domain of everything that anybody may pull.</summary>
    public const string PublicTrustDomain = "public";

    private readonly string _api;

    /// <summary>An upstream of validated options.</summary>
    /// <exception cref="ArgumentException">The options have no absolute http or https <see cref="UpstreamOptions.Url"/>.</exception>
    public Upstream(string name, UpstreamOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(options);
        if (options.Url is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
            throw new ArgumentException($"Upstream {name} needs an absolute http or https Url.", nameof(options));

        Name = name;
        Options = options;
        Url = options.Url;
        HasCredentials = !string.IsNullOrEmpty(options.Username);
        TrustDomain = HasCredentials || options.Visibility == UpstreamVisibility.Private ? name : PublicTrustDomain;
        Tags = new TagPolicies(options);
        _api = options.Url.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/v2/";
    }

    /// <summary>The configured name: the host that image references begin with, such as <c>docker.io</c>.</summary>
    public string Name { get; }

    /// <summary>How it is configured.</summary>
    public UpstreamOptions Options { get; }

    /// <summary>Where its API is.</summary>
    public Uri Url { get; }

    /// <summary>Whether requests to it carry an account.</summary>
    public bool HasCredentials { get; }

    /// <summary>
    /// <see cref="PublicTrustDomain"/>, or the upstream's own name when it has credentials or is private. What one upstream says about a
    /// digest counts for another only within one trust domain. No name equals the public one, because a name contains <c>.</c> or <c>:</c>.
    /// </summary>
    public string TrustDomain { get; }

    /// <summary>How long what is known of its tags counts.</summary>
    public TagPolicies Tags { get; }

    /// <summary>The repository's name as the upstream knows it: Docker Hub's one-segment names get <c>library/</c>.</summary>
    public string NormalizeRepository(string repository)
    {
        ArgumentException.ThrowIfNullOrEmpty(repository);
        return Name.Equals(UpstreamsDefaults.DockerHub, StringComparison.OrdinalIgnoreCase) && !repository.Contains('/')
            ? "library/" + repository
            : repository;
    }

    /// <summary>How long a failure stands before the upstream is asked again: what was asked for; for what is not there, as configured; else null, the queue's own.</summary>
    public TimeSpan? StandsFor(UpstreamFailure failure, string reference)
    {
        ArgumentNullException.ThrowIfNull(failure);
        return failure.RetryAfter ?? (failure.Outcome == FetchOutcome.NotFound ? Tags.Of(reference).NotFoundTtl : null);
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;

    internal Uri ApiUri(string path) => new(_api + path);
}
