namespace Entrepot.Upstreams;

/// <summary>How long what is known of a tag counts.</summary>
/// <param name="Ttl">How long after its upstream last confirmed it a tag is served without asking.</param>
/// <param name="NotFoundTtl">How long the upstream's word that there is no such tag counts.</param>
/// <param name="IsImmutable">Once held, it is never asked for again.</param>
public sealed record TagPolicy(TimeSpan Ttl, TimeSpan NotFoundTtl, bool IsImmutable);
