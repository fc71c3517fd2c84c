namespace Entrepot.Bench.Running;

/// <summary>Something that makes a measurement void; the message says what, for the one who reads the table.</summary>
/// <param name="message">What happened.</param>
internal sealed class BenchException(string message) : Exception(message);
