namespace Entrepot.Metadata;

/// <summary>A manifest as it was received.</summary>
/// <param name="Bytes">The bytes, verbatim.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Subject">The digest it refers to, or null.</param>
/// <param name="ArtifactType">Its artifact type, or null.</param>
public sealed record HeldManifest(byte[] Bytes, string MediaType, string? Subject, string? ArtifactType);
