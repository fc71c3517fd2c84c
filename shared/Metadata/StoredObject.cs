namespace Entrepot.Metadata;

/// <summary>What names an object in the store.</summary>
/// <param name="Digest">The blob's digest.</param>
/// <param name="Fence">The fence it was written with.</param>
public sealed record StoredObject(string Digest, long Fence);
