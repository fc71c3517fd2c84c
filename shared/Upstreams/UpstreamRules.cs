using System.Globalization;
using System.Text.RegularExpressions;
using Problem = (string Key, string Value, string Problem, string Fix);

namespace Entrepot.Upstreams;

/// <summary>What a configuration of upstreams must keep to. Collects every mistake, so that one start shows them all.</summary>
internal static partial class UpstreamRules
{
    /// <summary>Other names by which clients know a registry, and the configured name they stand for.</summary>
    public static readonly (string Alias, string Name)[] Aliases =
    [
        ("index.docker.io", UpstreamsDefaults.DockerHub),
        ("registry-1.docker.io", UpstreamsDefaults.DockerHub),
    ];

    public static List<Problem> Check(IReadOnlyList<KeyValuePair<string, UpstreamOptions>> upstreams, string? defaultUpstream, bool hasSecrets)
    {
        var problems = new List<Problem>();
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, options) in upstreams)
        {
            var key = $"Upstreams:{name}";
            CheckName(problems, key, name, unique: names.Add(name));
            CheckUrl(problems, key, name, options);
            CheckAccount(problems, key, options, hasSecrets);
            CheckBounds(problems, key, options);
            CheckTagPatterns(problems, key, options);
            CheckHosts(problems, $"{key}:TokenHosts", options.TokenHosts);
            CheckHosts(problems, $"{key}:Hosts", options.Hosts);
        }

        CheckHostOwners(problems, upstreams);
        foreach (var (alias, name) in Aliases)
        {
            if (names.Contains(name))
                names.Add(alias);
        }

        CheckPrefixes(problems, upstreams, names);
        if (!string.IsNullOrEmpty(defaultUpstream) && !names.Contains(defaultUpstream))
        {
            problems.Add(("DefaultUpstream", defaultUpstream, "is not a configured upstream",
                upstreams.Count == 0
                    ? "configure it under Upstreams, or leave DefaultUpstream empty"
                    : $"use one of {string.Join(", ", upstreams.Select(pair => pair.Key))}, or leave it empty"));
        }

        return problems;
    }

    private static void CheckName(List<Problem> problems, string key, string name, bool unique)
    {
        if (!HostName().IsMatch(name))
            problems.Add((key, name, "is not a host or host:port", "name the upstream by the host that image references begin with, such as ghcr.io"));
        else if (!name.Contains('.', StringComparison.Ordinal) && !name.Contains(':', StringComparison.Ordinal) && !name.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            problems.Add((key, name, "does not look like a registry host, so it could shadow a namespace", "use a name with a dot or a port, such as registry.example or registry:5000; for a short path set Prefix"));
        else if (!unique)
            problems.Add((key, name, "is configured twice, differing only in case", "keep one of them"));
    }

    private static void CheckUrl(List<Problem> problems, string key, string name, UpstreamOptions options)
    {
        key += ":Url";
        if (options.Url is not { } url)
        {
            problems.Add((key, "", "is missing", $"set it, such as https://{name}"));
            return;
        }

        if (!url.IsAbsoluteUri || url.Scheme is not ("http" or "https") || url.Host.Length == 0)
            problems.Add((key, url.OriginalString, "is not an absolute http or https address", $"write it in full, such as https://{name}"));
        else if (url.UserInfo.Length > 0)
            problems.Add((key, $"{url.Scheme}://(credentials)@{url.Authority}", "contains credentials", "move them to Username and Password (or PasswordFile)"));
        else if (url.Query.Length > 0 || url.Fragment.Length > 0)
            problems.Add((key, url.GetLeftPart(UriPartial.Path), "has a query or a fragment", "end it after the host or path"));
        else if (url.AbsolutePath.TrimEnd('/').EndsWith("/v2", StringComparison.Ordinal))
            problems.Add((key, url.OriginalString, "ends in /v2, which is added to it", "leave /v2 out"));
    }

    private static void CheckAccount(List<Problem> problems, string key, UpstreamOptions options, bool hasSecrets)
    {
        var (hasName, hasPassword) = (!string.IsNullOrEmpty(options.Username), !string.IsNullOrEmpty(options.Password));
        if (hasName && !hasPassword && hasSecrets)
            problems.Add(($"{key}:Password", "", "is missing while Username is set", "set Password or PasswordFile, or remove Username"));
        else if (hasPassword && !hasName)
            problems.Add(($"{key}:Username", "", "is missing while Password is set", "set Username, or remove Password"));
        else if (hasName && options.Username!.Contains(':', StringComparison.Ordinal))
            problems.Add(($"{key}:Username", options.Username, "contains a colon, which Basic authentication cannot carry", "use a name without one"));
    }

    private static void CheckBounds(List<Problem> problems, string key, UpstreamOptions options)
    {
        void Count(string name, int value, int least, int most)
        {
            if (value < least || value > most)
                problems.Add(($"{key}:{name}", value.ToString(CultureInfo.InvariantCulture), "is out of bounds", $"use {least} to {most}"));
        }

        void Time(string name, TimeSpan value, TimeSpan least, TimeSpan most)
        {
            if (value < least || value > most)
                problems.Add(($"{key}:{name}", value.ToString("c", CultureInfo.InvariantCulture), "is out of bounds", $"use {least:c} to {most:c}"));
        }

        if (!Enum.IsDefined(options.Visibility))
            problems.Add(($"{key}:Visibility", options.Visibility.ToString(), "is unknown", "use Public or Private"));
        if (!Enum.IsDefined(options.TagGone))
            problems.Add(($"{key}:TagGone", options.TagGone.ToString(), "is unknown", "use ServeStale or NotFound"));
        Time(nameof(options.TagTtl), options.TagTtl, TimeSpan.Zero, TimeSpan.FromDays(30));
        Time(nameof(options.StaleWhileRevalidate), options.StaleWhileRevalidate, TimeSpan.Zero, TimeSpan.FromDays(30));
        Time(nameof(options.TagGoneMaxAge), options.TagGoneMaxAge, TimeSpan.Zero, TimeSpan.FromDays(3650));
        Time(nameof(options.NotFoundTtl), options.NotFoundTtl, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Time(nameof(options.SignatureTagTtl), options.SignatureTagTtl, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        Count(nameof(options.Connections), options.Connections, 1, 16);
        Count(nameof(options.MaxConcurrentRequests), options.MaxConcurrentRequests, 1, 1024);
        Time(nameof(options.ConnectTimeout), options.ConnectTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));
        Time(nameof(options.HeaderTimeout), options.HeaderTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5));
        Time(nameof(options.StallTimeout), options.StallTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
    }

    private static void CheckHosts(List<Problem> problems, string key, string[] hosts)
    {
        for (var i = 0; i < hosts.Length; i++)
        {
            if (!HostName().IsMatch(hosts[i] ?? ""))
                problems.Add(($"{key}:{i}", hosts[i] ?? "", "is not a host or host:port", "write the host alone, such as auth.example"));
        }
    }

    private static void CheckHostOwners(List<Problem> problems, IEnumerable<KeyValuePair<string, UpstreamOptions>> upstreams)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, options) in upstreams)
        {
            for (var i = 0; i < options.Hosts.Length; i++)
            {
                if (!owners.TryAdd(options.Hosts[i] ?? "", name))
                    problems.Add(($"Upstreams:{name}:Hosts:{i}", options.Hosts[i] ?? "", $"already means {owners[options.Hosts[i] ?? ""]}", "give each upstream its own"));
            }
        }
    }

    private static void CheckTagPatterns(List<Problem> problems, string key, UpstreamOptions options)
    {
        void Pattern(string place, string? pattern)
        {
            if (string.IsNullOrEmpty(pattern))
            {
                problems.Add((place, "", "is empty, which would match every tag", "write .* for every tag, or leave it out"));
                return;
            }
            try
            {
                TagPolicies.Compile(pattern);
            }
            catch (ArgumentException error)
            {
                problems.Add((place, pattern, $"is not a regular expression: {error.Message}", "write one such as ^v[0-9]+"));
            }
            catch (NotSupportedException error)
            {
                problems.Add((place, pattern, $"can't be matched in linear time: {error.Message}", "write it without (?=…), (?!…), (?<=…), (?<!…), (?>…), \\1 and great repetitions"));
            }
        }

        for (var i = 0; i < options.ImmutableTags.Length; i++)
            Pattern($"{key}:{nameof(options.ImmutableTags)}:{i}", options.ImmutableTags[i]);
        for (var i = 0; i < options.ImmutableTagExclusions.Length; i++)
            Pattern($"{key}:{nameof(options.ImmutableTagExclusions)}:{i}", options.ImmutableTagExclusions[i]);
        foreach (var (pattern, ttl) in options.TagTtls)
        {
            Pattern($"{key}:{nameof(options.TagTtls)}", pattern);
            if (ttl < TimeSpan.Zero || ttl > TimeSpan.FromDays(30))
                problems.Add(($"{key}:{nameof(options.TagTtls)}:{pattern}", ttl.ToString("c", CultureInfo.InvariantCulture), "is out of bounds", "use 0 to 30 days"));
        }
    }

    private static void CheckPrefixes(List<Problem> problems, IEnumerable<KeyValuePair<string, UpstreamOptions>> upstreams, HashSet<string> names)
    {
        var owners = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, options) in upstreams.Where(pair => !string.IsNullOrEmpty(pair.Value.Prefix)))
        {
            var (key, prefix) = ($"Upstreams:{name}:Prefix", options.Prefix!);
            if (!PathComponent().IsMatch(prefix))
                problems.Add((key, prefix, "cannot be a path segment of a repository", "use lower-case letters and digits with single . _ - between them, such as docker-io"));
            else if (prefix == "library")
                problems.Add((key, prefix, "shadows Docker Hub's official images", "use another word, such as docker-io"));
            else if (names.Contains(prefix) && !prefix.Equals(name, StringComparison.OrdinalIgnoreCase))
                problems.Add((key, prefix, "is the name of another upstream", "use another word; an upstream's name leads to it without a Prefix"));
            else if (!owners.TryAdd(prefix, name))
                problems.Add((key, prefix, $"is already the Prefix of {owners[prefix]}", "give each upstream its own"));
        }
    }

    [GeneratedRegex(@"^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex PathComponent();
}
