using System.Globalization;
using Entrepot.Bench.Running;

namespace Entrepot.Bench.Cluster.Chaos;

/// <summary>What <c>bench/chaos.sh</c> was asked for.</summary>
/// <param name="Cases">Which losses.</param>
/// <param name="Runs">How often each.</param>
/// <param name="Mebibytes">How large the layers are.</param>
/// <param name="Results">Where <c>chaos.md</c> goes; null for the place that suits.</param>
internal sealed record ChaosLine(IReadOnlyList<ChaosCase> Cases, int Runs, int Mebibytes, string? Results)
{
    /// <summary>How it is used.</summary>
    public const string Usage = """
        bench/chaos.sh [--runs N] [--only CASE,...] [--mebibytes N] [--results DIR]
          --runs N         how often each case is played, each time with a new layer (10)
          --only A,B       only these cases of kill-5, kill-50, kill-95, stop, term
          --mebibytes N    how large the layers are (512)
          --results DIR    where chaos.md goes: bench/results for a whole run, else bench/.work/results
        Ends with 0 only when every bound holds.
        """;

    private const int DefaultRuns = 10, DefaultMebibytes = 512;

    /// <summary>Whether this is a run that others may be shown: all cases, with layers and as often as by default, or more.</summary>
    public bool IsWhole => Cases.Count == ChaosCase.All.Count && Runs >= DefaultRuns && Mebibytes >= DefaultMebibytes;

    /// <summary>The command to get this table again.</summary>
    public string Command => string.Create(
        CultureInfo.InvariantCulture,
        $"bench/chaos.sh{(Runs == DefaultRuns ? "" : $" --runs {Runs}")}{(Cases.Count == ChaosCase.All.Count ? "" : " --only " + string.Join(',', Cases.Select(one => one.Name)))}{(Mebibytes == DefaultMebibytes ? "" : $" --mebibytes {Mebibytes}")}");

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="BenchException">They make no sense.</exception>
    public static ChaosLine Parse(IReadOnlyList<string> words)
    {
        var arguments = new Arguments(words, Usage, "--runs", "--only", "--mebibytes", "--results");
        return new ChaosLine(
            arguments.Chosen("--only", ChaosCase.All, one => one.Name), arguments.Number("--runs", DefaultRuns), arguments.Number("--mebibytes", DefaultMebibytes), arguments.Text("--results"));
    }
}
