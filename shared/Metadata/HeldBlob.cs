namespace Entrepot.Metadata;

/// <summary>Bytes in the store.</summary>
/// <param name="Size">How many.</param>
/// <param name="Fence">The fence that names their object.</param>
public sealed record HeldBlob(long Size, long Fence);
