namespace Entrepot.Metadata;

/// <summary>The database could not do the work now: unreachable, busy beyond its timeout, or failing to read or write. Nothing of the unit was committed, unless its commit, or a statement that is a transaction by itself, was asked for and no answer came: then it may have been done, or may yet be.</summary>
public class DatabaseUnavailableException(string message, Exception? innerException = null) : Exception(message, innerException);
