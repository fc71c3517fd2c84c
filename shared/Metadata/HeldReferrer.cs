namespace Entrepot.Metadata;

/// <summary>A manifest that is held and refers to another one, its subject.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="ArtifactType">Its artifact type, or null.</param>
public sealed record HeldReferrer(string Digest, string? ArtifactType);
