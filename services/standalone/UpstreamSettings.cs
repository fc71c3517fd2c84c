using System.ComponentModel;
using Entrepot.Hosting;
using Entrepot.Upstreams;

namespace Entrepot.Standalone;

/// <summary>The root keys that say which registries there are.</summary>
public sealed class UpstreamSettings : IValidatableSection
{
    /// <summary>The upstream of requests that name none.</summary>
    [Description("The upstream of requests that name none: what Docker's registry-mirrors asks for")]
    public string DefaultUpstream { get; set; } = UpstreamsDefaults.DockerHub;

    /// <summary>The registries by name.</summary>
    [Description("The registries by the host in an image's name; null removes a built-in one")]
    public Dictionary<string, UpstreamOptions?> Upstreams { get; set; } = UpstreamsDefaults.Create();

    /// <inheritdoc />
    public IEnumerable<ConfigError> Validate(string path) =>
        UpstreamCatalog.Validate(Upstreams, DefaultUpstream).Select(e => new ConfigError(e.Key, e.Value, e.Problem, e.Fix));

    /// <summary>The catalogue of these registries.</summary>
    public UpstreamCatalog ToCatalog() => new(Upstreams, DefaultUpstream);
}
