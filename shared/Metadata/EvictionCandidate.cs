namespace Entrepot.Metadata;

/// <summary>A blob that may go.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Bytes its going frees.</param>
/// <param name="Fence">The fence that names its object.</param>
/// <param name="LastAtMs">When it was last used or, if never, stored: unix milliseconds by the database's clock.</param>
public sealed record EvictionCandidate(string Digest, long Size, long Fence, long LastAtMs);
