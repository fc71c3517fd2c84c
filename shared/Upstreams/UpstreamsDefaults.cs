namespace Entrepot.Upstreams;

/// <summary>The upstreams that are there without any configuration; setting one to <c>null</c> removes it.</summary>
public static class UpstreamsDefaults
{
    /// <summary>The name of Docker Hub, whose one-segment repositories live under <c>library/</c>.</summary>
    public const string DockerHub = "docker.io";

    private static readonly (string Name, string Url)[] BuiltIn =
    [
        (DockerHub, "https://registry-1.docker.io"),
        ("ghcr.io", "https://ghcr.io"),
        ("quay.io", "https://quay.io"),
        ("registry.k8s.io", "https://registry.k8s.io"),
        ("gcr.io", "https://gcr.io"),
        ("mcr.microsoft.com", "https://mcr.microsoft.com"),
        ("public.ecr.aws", "https://public.ecr.aws"),
    ];

    /// <summary>A new dictionary with new options, for a configuration to be bound over; names compare without case.</summary>
    public static Dictionary<string, UpstreamOptions?> Create() => BuiltIn.ToDictionary(
        upstream => upstream.Name,
        UpstreamOptions? (upstream) => new UpstreamOptions { Url = new Uri(upstream.Url) },
        StringComparer.OrdinalIgnoreCase);
}
