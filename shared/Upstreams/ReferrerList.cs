using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>All referrers of a digest that an upstream's API lists; not filtered by artifact type.</summary>
/// <param name="Referrers">In the upstream's order, each digest once, every descriptor as sent.</param>
public sealed record ReferrerList(IReadOnlyList<Referrer> Referrers);
