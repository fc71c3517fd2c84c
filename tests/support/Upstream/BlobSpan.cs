namespace Entrepot.TestSupport.Upstream;

/// <summary>Which bytes of a blob one GET brought.</summary>
/// <param name="From">Position of the first byte asked for.</param>
/// <param name="To">Position of the last byte the answer announced (inclusive); -1 when it announced none.</param>
/// <param name="BytesSent">How many bytes were sent, from <paramref name="From"/> on.</param>
/// <param name="Request">The whole record.</param>
public sealed record BlobSpan(long From, long To, long BytesSent, RecordedRequest Request);
