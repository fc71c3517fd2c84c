namespace Entrepot.Metadata;

/// <summary>The volume of the database is full: reads still work, writes will again when room was made.</summary>
public sealed class StoreFullException(string message, Exception? innerException = null) : DatabaseUnavailableException(message, innerException);
