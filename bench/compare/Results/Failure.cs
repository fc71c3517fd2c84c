namespace Entrepot.Bench.Results;

/// <summary>A measurement that came to nothing.</summary>
/// <param name="Scenario">Of which scenario.</param>
/// <param name="Target">Of which target.</param>
/// <param name="Why">What happened.</param>
/// <param name="Counts">Whether a bound refers to the target: then the run has failed, whatever the other rounds gave.</param>
internal sealed record Failure(string Scenario, string Target, string Why, bool Counts);
