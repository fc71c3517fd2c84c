namespace Entrepot.Upstreams;

/// <summary>An upstream's answer to the referrers of a digest, exactly as sent; not filtered by artifact type.</summary>
/// <param name="Bytes">The body, an image index; at most <see cref="UpstreamClient.MaxManifestBytes"/>.</param>
/// <param name="MediaType">Its media type without parameters, if said.</param>
/// <param name="HasMore">Whether the upstream announced a further page, which is not in it.</param>
public sealed record ReferrersBody(ReadOnlyMemory<byte> Bytes, string? MediaType, bool HasMore);
