using System.ComponentModel;

namespace Entrepot.Upstreams;

/// <summary>The root keys that say which registries there are.</summary>
public sealed class UpstreamSettings
{
    /// <summary>The upstream of requests that name none.</summary>
    [Description("The upstream of requests that name none: what Docker's registry-mirrors asks for")]
    public string DefaultUpstream { get; set; } = UpstreamsDefaults.DockerHub;

    /// <summary>The registries by name.</summary>
    [Description("The registries by the host in an image's name; null removes a built-in one")]
    public Dictionary<string, UpstreamOptions?> Upstreams { get; set; } = UpstreamsDefaults.Create();

    /// <summary>Everything that is wrong with them.</summary>
    /// <param name="hasSecrets">False in a process that asks no upstream and has been given no passwords.</param>
    public IReadOnlyList<(string Key, string Value, string Problem, string Fix)> Problems(bool hasSecrets = true) => UpstreamCatalog.Validate(Upstreams, DefaultUpstream, hasSecrets);

    /// <summary>The catalogue of these registries.</summary>
    public UpstreamCatalog ToCatalog() => new(Upstreams, DefaultUpstream);
}
