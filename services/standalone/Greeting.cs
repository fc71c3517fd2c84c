using System.Net;
using Entrepot.Hosting;
using Entrepot.Upstreams;

namespace Entrepot.Standalone;

/// <summary>What a person sees at the start: where it listens, where the data lies, and the lines to paste.</summary>
internal static class Greeting
{
    public static IEnumerable<string> Lines(IReadOnlyList<ListenAddress> urls, string dataFolder, UpstreamCatalog catalog)
    {
        var url = Reachable(urls[0]);
        yield return $"Entrepot listens on {string.Join(", ", urls)}";
        yield return $"Data lies in {dataFolder}";
        yield return $"Upstreams: {string.Join(", ", catalog.All.Select(u => u == catalog.Default ? $"{u.Name} (default)" : u.Name))}";
        yield return $"Docker, /etc/docker/daemon.json:  {{ \"registry-mirrors\": [\"{url}\"] }}";
        yield return $"containerd, /etc/containerd/certs.d/docker.io/hosts.toml:  [host.\"{url}\"] capabilities = [\"pull\", \"resolve\"]";
    }

    /// <summary>The address as a client on this machine writes it.</summary>
    private static string Reachable(ListenAddress address) =>
        address.Address is { } ip && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)) || address.Host == "*"
            ? $"{(address.IsHttps ? "https" : "http")}://localhost:{address.Port}" : address.ToString();
}
