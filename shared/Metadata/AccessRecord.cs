namespace Entrepot.Metadata;

/// <summary>How often a manifest or blob was served, and when last.</summary>
/// <param name="Digest">Its digest.</param>
/// <param name="Count">Responses.</param>
/// <param name="LastAtMs">Unix milliseconds.</param>
public sealed record AccessRecord(string Digest, long Count, long LastAtMs);
