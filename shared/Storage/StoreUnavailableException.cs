namespace Entrepot.Storage;

/// <summary>The store can't answer now, which says nothing about what it holds.</summary>
public sealed class StoreUnavailableException(string message, Exception? inner = null) : IOException(message, inner);
