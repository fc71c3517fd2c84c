namespace Entrepot.Metadata;

/// <summary>A lease to renew, and how far its fetch has come.</summary>
/// <param name="Id">The fetch.</param>
/// <param name="Fence">The fence it was claimed with.</param>
/// <param name="Progress">Bytes received so far.</param>
public sealed record LeaseProgress(Guid Id, long Fence, long Progress);
