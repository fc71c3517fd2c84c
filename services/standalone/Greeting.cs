using System.Net;
using Entrepot.Upstreams;

namespace Entrepot.Standalone;

/// <summary>What a person sees at the start: where it listens, where the data lies, and the lines to paste.</summary>
internal static class Greeting
{
    public static IEnumerable<string> Lines(IReadOnlyCollection<string> urls, string dataFolder, UpstreamCatalog catalog)
    {
        var url = Reachable(urls.First());
        yield return $"Entrepot listens on {string.Join(", ", urls)}";
        yield return $"Data lies in {dataFolder}";
        yield return $"Upstreams: {string.Join(", ", catalog.All.Select(u => u == catalog.Default ? $"{u.Name} (default)" : u.Name))}";
        yield return $"Docker, /etc/docker/daemon.json:  {{ \"registry-mirrors\": [\"{url}\"] }}";
        yield return $"containerd, /etc/containerd/certs.d/docker.io/hosts.toml:  [host.\"{url}\"] capabilities = [\"pull\", \"resolve\"]";
    }

    /// <summary>A warning for each upstream whose private images anybody who reaches us could pull.</summary>
    public static IEnumerable<string> Warnings(IReadOnlyCollection<string> urls, UpstreamCatalog catalog)
    {
        if (urls.All(IsLoopback)) yield break;
        foreach (var upstream in catalog.All.Where(u => u.HasCredentials))
            yield return $"Upstream {upstream.Name} has credentials, and Entrepot listens beyond this machine ({string.Join(", ", urls.Where(u => !IsLoopback(u)))}): "
                + "whoever reaches it can pull what that account can. Listen on 127.0.0.1, or keep it in a network you trust.";
    }

    private static bool IsLoopback(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && (uri.IsLoopback || (IPAddress.TryParse(uri.Host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address)));

    /// <summary>The address as a client on this machine writes it.</summary>
    private static string Reachable(string url) =>
        url.Replace("0.0.0.0", "localhost", StringComparison.Ordinal).Replace("[::]", "localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal).TrimEnd('/');
}
