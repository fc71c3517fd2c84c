namespace Entrepot.Storage;

/// <summary>The disk under the spool is full. The bytes written so far are still good.</summary>
public sealed class SpoolFullException(string path, Exception inner) : IOException($"no space left for the spool file {path}", inner);
