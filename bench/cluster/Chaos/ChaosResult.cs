using Entrepot.TestSupport.Product;

namespace Entrepot.Bench.Cluster.Chaos;

/// <summary>What came of the runs of one case.</summary>
/// <param name="Case">The case.</param>
/// <param name="Losses">The runs.</param>
/// <param name="Failures">Why other runs came to nothing.</param>
internal sealed record ChaosResult(ChaosCase Case, IReadOnlyList<OwnerLoss> Losses, IReadOnlyList<string> Failures)
{
    /// <summary>Clients with errors, in all runs.</summary>
    public int Errors => Losses.Sum(loss => loss.Errors.Count);

    /// <summary>Clients with other bytes, in all runs.</summary>
    public int WrongDigests => Losses.Sum(loss => loss.WrongDigests);

    /// <summary>In how many runs another fetcher went on.</summary>
    public int TakenOver => Losses.Count(loss => loss.TakenOver);

    /// <summary>Whether every run came to something, and every bound holds in each.</summary>
    public bool Holds => Failures.Count == 0 && Losses.Count > 0 && Losses.All(loss =>
        loss.Errors.Count == 0 && loss.WrongDigests == 0 && loss.LongestPause <= Case.LongestPause && loss.UpstreamBytes <= ChaosCase.MostUpstreamBytes
        && (loss.TakenOver || !Case.TakesOver));
}
