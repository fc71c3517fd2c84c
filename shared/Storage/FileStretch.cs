namespace Entrepot.Storage;

/// <summary>Bytes that lie in a file and do not change there.</summary>
/// <param name="File">Open, shared with others: to be read by offset only.</param>
/// <param name="Count">How many bytes there are from the offset that was asked for.</param>
public readonly record struct FileStretch(FileStream File, long Count);
