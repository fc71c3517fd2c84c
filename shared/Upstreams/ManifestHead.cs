using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>What an upstream says about a manifest without sending it.</summary>
/// <param name="Digest">Its digest; null when the upstream named none, so that only a GET can tell.</param>
/// <param name="SizeBytes">Its size, if said.</param>
/// <param name="MediaType">Its media type without parameters, if said.</param>
public sealed record ManifestHead(Digest? Digest, long? SizeBytes, string? MediaType);
