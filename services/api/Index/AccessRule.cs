using Entrepot.Metadata;
using Entrepot.Upstreams;

namespace Entrepot.Api.Index;

/// <summary>
/// Who may serve what: bytes are shared by digest, access is per repository. A digest may be served where it was downloaded; where a manifest of
/// that repository lists it, or its upstream confirmed it, only within the trust domain that has the bytes (possession, not assertion).
/// </summary>
internal static class AccessRule
{
    /// <summary>Whether a repository of <paramref name="upstream"/> may serve bytes that are held.</summary>
    public static bool MayServe(UpstreamCatalog catalog, string upstream, Rights rights, IReadOnlyCollection<string> possessedBy) =>
        rights.HasFlag(Rights.Downloaded) || (IsClaimed(rights) && IsHeldIn(catalog, upstream, possessedBy));

    /// <summary>Whether the repository is known to have the digest: by a manifest of its own or its upstream's word.</summary>
    public static bool IsClaimed(Rights rights) => (rights & (Rights.Listed | Rights.Confirmed)) != 0;

    /// <summary>Whether the upstream's trust domain has downloaded the bytes itself.</summary>
    public static bool IsHeldIn(UpstreamCatalog catalog, string upstream, IReadOnlyCollection<string> possessedBy)
    {
        var domain = catalog.Find(upstream)?.TrustDomain;
        return domain is not null && possessedBy.Any(u => catalog.Find(u)?.TrustDomain == domain);
    }
}
