namespace Entrepot.Metadata;

/// <summary>A layer that is listed but not held.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Size">Bytes, as listed.</param>
/// <param name="MediaType">As listed.</param>
public sealed record MissingLayer(string Digest, long Size, string MediaType);
