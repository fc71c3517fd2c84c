using System.Text.Json;

namespace Entrepot.TestSupport.Product;

/// <summary>What an <c>entrepot.json</c> of a test says, and what goes beside it. Values are written as JSON; nested dictionaries are sections.</summary>
public sealed class EntrepotSettings
{
    /// <summary>The upstream that <see cref="WithUpstream"/> makes the default; <c>docker.io</c> is the same registry.</summary>
    public const string DefaultUpstream = "lab.test";

    /// <summary>The keys of entrepot.json. <c>Urls</c> and <c>DataDirectory</c> are added when they are missing.</summary>
    public Dictionary<string, object?> Values { get; } = [];

    /// <summary>Variables of the environment, for example <c>Entrepot__DefaultUpstream</c>.</summary>
    public Dictionary<string, string?> Environment { get; } = [];

    /// <summary>Arguments of the command line behind <c>--config FILE</c>.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Addresses to listen on besides the process's own, for example <c>https://127.0.0.1:5443</c>.</summary>
    public List<string> ExtraUrls { get; } = [];

    /// <summary>Where the data lies; null is a folder of its own that is removed with the process.</summary>
    public string? DataDirectory { get; set; }

    /// <summary>One registry as the default upstream and as docker.io; the other upstreams of the defaults are taken away.</summary>
    public static EntrepotSettings WithUpstream(Uri upstream)
    {
        var settings = new EntrepotSettings();
        settings.Values["DefaultUpstream"] = DefaultUpstream;
        foreach (var name in new[] { "ghcr.io", "quay.io", "registry.k8s.io", "gcr.io", "mcr.microsoft.com", "public.ecr.aws" }) settings.Upstreams[name] = null;
        return settings.Add(DefaultUpstream, upstream).Add("docker.io", upstream);
    }

    /// <summary>Adds or replaces an upstream.</summary>
    /// <param name="name">Its registry host, for example <c>quay.io</c>.</param>
    /// <param name="upstream">Where it is.</param>
    /// <param name="options">More keys of it, for example <c>("Username", "u")</c>.</param>
    public EntrepotSettings Add(string name, Uri upstream, params (string Key, object? Value)[] options)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        var keys = new Dictionary<string, object?> { ["Url"] = upstream.GetLeftPart(UriPartial.Authority) };
        foreach (var (key, value) in options) keys[key] = value;
        Upstreams[name] = keys;
        return this;
    }

    /// <summary>Takes an upstream away, also one of the defaults.</summary>
    public EntrepotSettings Remove(string name)
    {
        Upstreams[name] = null;
        return this;
    }

    /// <summary>Sets a key of entrepot.json.</summary>
    public EntrepotSettings Set(string key, object? value)
    {
        Values[key] = value;
        return this;
    }

    /// <summary>The keys alone, for processes that are told where to listen by other means.</summary>
    internal string ToJson() => JsonSerializer.Serialize(Values, Indented);

    internal string ToJson(Uri url, string dataDirectory)
    {
        var all = new Dictionary<string, object?>(Values);
        all.TryAdd("Urls", string.Join(';', [url.GetLeftPart(UriPartial.Authority), .. ExtraUrls]));
        all.TryAdd("DataDirectory", dataDirectory);
        return JsonSerializer.Serialize(all, Indented);
    }

    private static JsonSerializerOptions Indented { get; } = new() { WriteIndented = true };

    /// <summary>The values that no log may hold, plain and as Basic authentication writes them.</summary>
    internal IEnumerable<string> Secrets() =>
        Upstreams.Values.OfType<Dictionary<string, object?>>()
            .Where(upstream => upstream.GetValueOrDefault("Password") is string)
            .SelectMany(upstream => new[] { (string)upstream["Password"]!, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"{upstream.GetValueOrDefault("Username")}:{upstream["Password"]}")) });

    private Dictionary<string, object?> Upstreams
    {
        get
        {
            if (Values.TryGetValue("Upstreams", out var value) && value is Dictionary<string, object?> upstreams) return upstreams;
            upstreams = [];
            Values["Upstreams"] = upstreams;
            return upstreams;
        }
    }
}
