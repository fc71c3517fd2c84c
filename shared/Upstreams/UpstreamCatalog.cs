using System.Collections.Frozen;

namespace Entrepot.Upstreams;

/// <summary>All configured upstreams, and which of them a request means. Immutable and thread-safe.</summary>
public sealed class UpstreamCatalog
{
    private readonly FrozenDictionary<string, Upstream> _byName;
    private readonly FrozenDictionary<string, Upstream> _byPrefix;
    private readonly FrozenDictionary<string, Upstream> _byHost;

    /// <summary>A catalog of options that <see cref="Validate"/> found nothing wrong with.</summary>
    /// <param name="upstreams">The options by name; a null value is a removed upstream.</param>
    /// <param name="defaultUpstream">The name (or alias) of the upstream that bare repository names mean; null or empty for none.</param>
    /// <exception cref="ArgumentException">The default upstream is not among them, or an upstream has no Url.</exception>
    public UpstreamCatalog(IEnumerable<KeyValuePair<string, UpstreamOptions?>> upstreams, string? defaultUpstream)
    {
        ArgumentNullException.ThrowIfNull(upstreams);
        All = [.. upstreams.Where(pair => pair.Value is not null).Select(pair => new Upstream(pair.Key, pair.Value!))];

        var byName = All.ToDictionary(upstream => upstream.Name, StringComparer.OrdinalIgnoreCase);
        foreach (var (alias, name) in UpstreamRules.Aliases)
        {
            if (byName.TryGetValue(name, out var upstream))
                byName.TryAdd(alias, upstream);
        }

        _byName = byName.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _byPrefix = All.Where(upstream => !string.IsNullOrEmpty(upstream.Options.Prefix))
            .ToFrozenDictionary(upstream => upstream.Options.Prefix!, StringComparer.OrdinalIgnoreCase);
        _byHost = All.SelectMany(upstream => upstream.Options.Hosts.Select(host => (host, upstream)))
            .ToFrozenDictionary(pair => pair.host, pair => pair.upstream, StringComparer.OrdinalIgnoreCase);

        if (!string.IsNullOrEmpty(defaultUpstream))
        {
            Default = Find(defaultUpstream)
                ?? throw new ArgumentException($"DefaultUpstream '{defaultUpstream}' is not a configured upstream.", nameof(defaultUpstream));
        }
    }

    /// <summary>Every upstream, in the order of the configuration.</summary>
    public IReadOnlyList<Upstream> All { get; }

    /// <summary>What bare repository names mean, if anything.</summary>
    public Upstream? Default { get; }

    /// <summary>The upstream of this name or built-in alias (<c>index.docker.io</c>, <c>registry-1.docker.io</c>), compared without case; null when there is none.</summary>
    public Upstream? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>
    /// The upstream and repository that a request means. The <c>ns</c> parameter decides when there is one; then the host that was asked, when it
    /// is one of an upstream's <see cref="UpstreamOptions.Hosts"/>; then a first path segment that is an upstream's name or prefix; then the
    /// default upstream. An upstream's own prefix is also taken off when the same upstream is named otherwise, because mirrors configured with
    /// a path send both. Source: containerd's registry host namespace parameter.
    /// </summary>
    /// <param name="ns">The parameter's value, null or empty when there is none.</param>
    /// <param name="host">The Host header, <c>host</c> or <c>host:port</c>; null or empty when there is none.</param>
    /// <param name="repositoryName">The name in the path.</param>
    /// <returns>Null when the <c>ns</c> is unknown (Entrepot is no open proxy) or when there is nothing to go by.</returns>
    public Resolution? Resolve(string? ns, string? host, string repositoryName)
    {
        ArgumentException.ThrowIfNullOrEmpty(repositoryName);
        var (prefixed, rest) = FindByPrefix(repositoryName);

        if (FindNamed(ns, host) is { } named)
            return To(named, prefixed == named ? rest : repositoryName);
        if (!string.IsNullOrEmpty(ns))
            return null;

        if (prefixed is not null)
            return To(prefixed, rest);

        return Default is null ? null : To(Default, repositoryName);
    }

    /// <summary>The upstream that a request names beside its path, by <c>ns</c> or else by its host; null when it names none, or an unknown one.</summary>
    /// <inheritdoc cref="Resolve" path="/param"/>
    public Upstream? FindNamed(string? ns, string? host) => string.IsNullOrEmpty(ns) ? FindByHost(host) : Find(ns);

    /// <summary>Everything that is wrong with a configuration, each with the key, its value (never a secret), the problem and the fix; empty when nothing is.</summary>
    /// <param name="upstreams">The options by name; a null value is a removed upstream.</param>
    /// <param name="defaultUpstream">The configured <c>DefaultUpstream</c>; null or empty for none.</param>
    /// <param name="hasSecrets">Whether a password that is not there is missing.</param>
    public static IReadOnlyList<(string Key, string Value, string Problem, string Fix)> Validate(
        IEnumerable<KeyValuePair<string, UpstreamOptions?>> upstreams, string? defaultUpstream, bool hasSecrets = true)
    {
        ArgumentNullException.ThrowIfNull(upstreams);
        return UpstreamRules.Check([.. upstreams.Where(pair => pair.Value is not null)!], defaultUpstream, hasSecrets);
    }

    private static Resolution To(Upstream upstream, string repository) => new(upstream, upstream.NormalizeRepository(repository));

    private Upstream? FindByHost(string? host)
    {
        if (_byHost.Count == 0 || string.IsNullOrEmpty(host))
            return null;

        // The port is behind the last colon; an IPv6 address has its own inside brackets. A dot at the end of a name says that it is a full one.
        var colon = host.LastIndexOf(':') is var at && at > host.LastIndexOf(']') ? at : host.Length;
        var (name, port) = (host[..colon].TrimEnd('.'), host[colon..]);
        return _byHost.GetValueOrDefault(name + port)
            ?? _byHost.GetValueOrDefault(name)
            // Clients leave the usual ports out.
            ?? (port.Length > 0 ? null : _byHost.GetValueOrDefault(name + ":80") ?? _byHost.GetValueOrDefault(name + ":443"));
    }

    private (Upstream? Upstream, string Remainder) FindByPrefix(string repository)
    {
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        if (slash <= 0 || slash == repository.Length - 1)
            return (null, repository);

        var first = repository[..slash];
        var upstream = Find(first) ?? _byPrefix.GetValueOrDefault(first);
        return (upstream, repository[(slash + 1)..]);
    }
}
