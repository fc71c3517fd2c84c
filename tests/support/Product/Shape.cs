namespace Entrepot.TestSupport.Product;

/// <summary>Which of Entrepot's two shapes the tests run.</summary>
public static class Shape
{
    private const string Variable = "ENTREPOT_SHAPE";

    /// <summary>True with <c>ENTREPOT_SHAPE=cluster</c>: every <see cref="EntrepotProcess"/> is an api, a fetcher and a janitor over real servers. False: the standalone service.</summary>
    public static bool IsCluster { get; } = Environment.GetEnvironmentVariable(Variable) switch
    {
        null or "" or "standalone" => false,
        "cluster" => true,
        var other => throw new InvalidOperationException($"{Variable}={other} is no shape: write standalone or cluster."),
    };

    /// <summary>Why a fact of the standalone service alone does not run now; null when it does.</summary>
    internal static string? SkipsStandalone(string why) => IsCluster ? $"of the standalone shape alone: {why}" : null;
}
