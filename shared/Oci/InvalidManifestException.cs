namespace Entrepot.Oci;

/// <summary>Bytes that were to be a manifest are not one that may be stored. The message names the place and the value.</summary>
public sealed class InvalidManifestException(string message, Exception? innerException = null) : Exception(message, innerException);
