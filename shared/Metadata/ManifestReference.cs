using Entrepot.Oci;
namespace Entrepot.Metadata;

/// <summary>One child a manifest lists.</summary>
/// <param name="Digest">The child's digest.</param>
/// <param name="Role">As what.</param>
/// <param name="Size">Bytes, as listed.</param>
/// <param name="MediaType">As listed.</param>
/// <param name="Platform">For a manifest in an index, such as <c>linux/arm64/v8</c>; else null.</param>
public sealed record ManifestReference(string Digest, ReferenceRole Role, long Size, string MediaType, string? Platform);
