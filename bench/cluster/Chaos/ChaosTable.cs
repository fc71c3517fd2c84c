using System.Globalization;
using Entrepot.Bench.Results;
using Entrepot.TestSupport.Product;

namespace Entrepot.Bench.Cluster.Chaos;

/// <summary>The text of <c>chaos.md</c> below its head.</summary>
internal static class ChaosTable
{
    private static readonly string[] Titles =
    [
        "case", "", "runs", "lost at", "taken over", "client errors", "wrong digests", "longest pause, s: median", "max", "bound", "upstream bytes: max", "bound", "all done after, s: median", "ok",
    ];

    /// <summary>How it was measured, the table, and what went wrong.</summary>
    public static string Of(ChaosLine line, IReadOnlyList<ChaosResult> results)
    {
        var wrong = results.SelectMany(result => result.Failures.Concat(result.Losses.SelectMany(loss => loss.Errors)).Distinct().Select(why => $"\n{result.Case.Name}: {why.ReplaceLineEndings(" ")}\n"));
        return string.Create(CultureInfo.InvariantCulture, $"""
            - 3 api replicas, 3 fetchers; in each run {ChaosBench.Clients} clients read, and hash, a new layer of {line.Mebibytes} MiB from an upstream that gives {ChaosBench.BytesPerSecond >> 20} MiB/s to a response.
            - A pause is the longest time that any of the clients waited for its next bytes since the fetcher was lost. Upstream bytes are multiples of the layer's size. Every bound is one for every run.

            {Table.Of(Titles, results.Select(Cells))}
            {results.Count(result => result.Holds)} of {results.Count} cases hold.
            {string.Concat(wrong)}
            """);
    }

    private static string[] Cells(ChaosResult result) =>
    [
        result.Case.Name,
        result.Case.What,
        (result.Losses.Count + result.Failures.Count).ToString(CultureInfo.InvariantCulture),
        Over(result, losses => $"{Percent(losses.Min(loss => loss.LostAt))}..{Percent(losses.Max(loss => loss.LostAt))}"),
        result.TakenOver.ToString(CultureInfo.InvariantCulture),
        result.Errors.ToString(CultureInfo.InvariantCulture),
        result.WrongDigests.ToString(CultureInfo.InvariantCulture),
        Over(result, losses => Tenths(Row.Median(losses.Select(loss => loss.LongestPause.TotalSeconds)))),
        Over(result, losses => Tenths(losses.Max(loss => loss.LongestPause.TotalSeconds))),
        string.Create(CultureInfo.InvariantCulture, $"≤ {result.Case.LongestPause.TotalSeconds:0}"),
        Over(result, losses => string.Create(CultureInfo.InvariantCulture, $"{losses.Max(loss => loss.UpstreamBytes):0.00}×")),
        string.Create(CultureInfo.InvariantCulture, $"≤ {ChaosCase.MostUpstreamBytes}×"),
        Over(result, losses => Tenths(Row.Median(losses.Select(loss => loss.DoneAfter.TotalSeconds)))),
        result.Holds ? "yes" : "NO",
    ];

    private static string Over(ChaosResult result, Func<IReadOnlyList<OwnerLoss>, string> show) => result.Losses.Count == 0 ? "-" : show(result.Losses);

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{share * 100:0} %");

    private static string Tenths(double seconds) => seconds.ToString("0.0", CultureInfo.InvariantCulture);
}
