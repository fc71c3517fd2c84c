using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>A manifest, exactly as the upstream sent it.</summary>
/// <param name="Bytes">The body; at most <see cref="UpstreamClient.MaxManifestBytes"/>.</param>
/// <param name="MediaType">The media type the upstream gave it, without parameters, if any.</param>
/// <param name="Digest">The digest of the bytes, or of a signed schema 1's payload (<see cref="SignedManifest"/>). It has been compared with the digest asked for, or else with the one in the upstream's header.</param>
public sealed record ManifestBody(ReadOnlyMemory<byte> Bytes, string? MediaType, Digest Digest);
