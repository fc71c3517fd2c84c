namespace Entrepot.Metadata;

/// <summary>The database could not do the work now: unreachable, busy beyond its timeout, or failing to read or write. Nothing of the unit was committed, unless the connection broke during the commit itself.</summary>
public class DatabaseUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);
