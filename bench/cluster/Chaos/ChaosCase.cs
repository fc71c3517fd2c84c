using Entrepot.TestSupport.Product;

namespace Entrepot.Bench.Cluster.Chaos;

/// <summary>A way to lose a fetcher, and what its clients may see of it.</summary>
/// <param name="Name">For <c>--only</c> and the table.</param>
/// <param name="What">What happens, in a few words.</param>
/// <param name="Share">After which share of the layer.</param>
/// <param name="LongestPause">The most that any client may wait for its next bytes since the loss.</param>
/// <param name="TakesOver">Whether another fetcher must go on; one that is told to stop may bring what it has to its end.</param>
/// <param name="Lose">Does it to the fetcher of that name.</param>
/// <param name="Mend">Has it work again.</param>
internal sealed record ChaosCase(
    string Name, string What, double Share, TimeSpan LongestPause, bool TakesOver, Func<EntrepotCluster, string, Task> Lose, Func<EntrepotCluster, string, Task> Mend)
{
    /// <summary>The most bytes that may leave the upstream, as a multiple of the layer's size.</summary>
    public const double MostUpstreamBytes = 2.05;

    /// <summary>All there are.</summary>
    public static IReadOnlyList<ChaosCase> All { get; } =
    [
        Kill("kill-5", 0.05),
        Kill("kill-50", 0.5),
        Kill("kill-95", 0.95),
        new("stop", "SIGSTOP at 50 %", 0.5, TimeSpan.FromSeconds(15), TakesOver: true, (cluster, name) => cluster.PauseAsync(name), (cluster, name) => cluster.ResumeAsync(name)),
        new("term", "SIGTERM at 50 %", 0.5, TimeSpan.FromSeconds(2), TakesOver: false, (cluster, name) => cluster.StopAsync(name), (cluster, name) => cluster.StartAsync(name)),
    ];

    private static ChaosCase Kill(string name, double share) => new(
        name, $"kill -9 at {share * 100:0} %", share, TimeSpan.FromSeconds(5), TakesOver: true, (cluster, owner) => cluster.KillAsync(owner), (cluster, owner) => cluster.StartAsync(owner));
}
