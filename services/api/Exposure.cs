using Entrepot.Hosting;
using Entrepot.Upstreams;

namespace Entrepot.Api;

/// <summary>Who can pull what is not everybody's: Entrepot asks clients for no credential.</summary>
internal static class Exposure
{
    /// <summary>A warning for each upstream whose private images anybody who reaches us could pull.</summary>
    public static IEnumerable<string> Warnings(IReadOnlyList<ListenAddress> addresses, UpstreamCatalog catalog)
    {
        if (addresses.All(a => a.IsLoopback)) yield break;
        foreach (var upstream in catalog.All.Where(u => u.HasCredentials))
            yield return $"Upstream {upstream.Name} has credentials, and Entrepot listens beyond this machine ({string.Join(", ", addresses.Where(a => !a.IsLoopback))}): "
                + "whoever reaches it can pull what that account can. Listen on 127.0.0.1, or keep it in a network you trust.";
    }
}
