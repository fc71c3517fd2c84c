using System.Globalization;
using Entrepot.Bench.Cluster.Measuring;
using Entrepot.Bench.Running;

namespace Entrepot.Bench.Cluster;

/// <summary>What <c>bench/cluster.sh</c> was asked for.</summary>
/// <param name="Measurements">What to measure, in order.</param>
/// <param name="Rounds">How often.</param>
/// <param name="Mebibytes">How large the blob of <c>warm</c> is; the layer of <c>stampede</c> has half of it.</param>
/// <param name="Images">How many images <c>scale</c> pulls in a round.</param>
/// <param name="Results">Where <c>cluster.md</c> goes; null for the place that suits.</param>
internal sealed record MeasureLine(IReadOnlyList<Measurement> Measurements, int Rounds, int Mebibytes, int Images, string? Results)
{
    /// <summary>How it is used.</summary>
    public const string Usage = """
        bench/cluster.sh [--only NAME,...] [--rounds N] [--mebibytes N] [--images N] [--results DIR]
          --only A,B       only these of warm, scale, starve, stampede
          --rounds N       how often each is measured (5)
          --mebibytes N    how large the blob of warm is, and twice what the layer of stampede has (1024)
          --images N       how many images scale pulls in a round (400)
          --results DIR    where cluster.md goes: bench/results for a whole run, else bench/.work/results
        Ends with 0 only when every bound holds.
        """;

    private const int DefaultRounds = 5, DefaultMebibytes = 1024, DefaultImages = 400;
    private static readonly Measurement[] All = [new Warm(), new Scale(), new Starve(), new Stampede()];

    /// <summary>Whether this is a run that others may be shown: everything, as large and as often as by default, or more.</summary>
    public bool IsWhole => Measurements.Count == All.Length && Rounds >= DefaultRounds && Mebibytes >= DefaultMebibytes && Images >= DefaultImages;

    /// <summary>The command to get this table again.</summary>
    public string Command => string.Create(
        CultureInfo.InvariantCulture,
        $"bench/cluster.sh{(Measurements.Count == All.Length ? "" : " --only " + string.Join(',', Measurements.Select(one => one.Name)))}{(Rounds == DefaultRounds ? "" : $" --rounds {Rounds}")}{(Mebibytes == DefaultMebibytes ? "" : $" --mebibytes {Mebibytes}")}{(Images == DefaultImages ? "" : $" --images {Images}")}");

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="BenchException">They make no sense.</exception>
    public static MeasureLine Parse(IReadOnlyList<string> words)
    {
        var arguments = new Arguments(words, Usage, "--only", "--rounds", "--mebibytes", "--images", "--results");
        return new MeasureLine(
            arguments.Chosen("--only", All, one => one.Name), arguments.Number("--rounds", DefaultRounds), arguments.Number("--mebibytes", DefaultMebibytes),
            arguments.Number("--images", DefaultImages), arguments.Text("--results"));
    }
}
