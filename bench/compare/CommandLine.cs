using System.Globalization;
using Entrepot.Bench.Running;
using Entrepot.Bench.Scenarios;

namespace Entrepot.Bench;

/// <summary>What was asked for.</summary>
/// <param name="Scenarios">What to measure, in order.</param>
/// <param name="Rounds">How many rounds.</param>
/// <param name="Quick">Short times, for developers.</param>
/// <param name="List">Only name the scenarios.</param>
/// <param name="Help">Only say how this is used.</param>
/// <param name="Results">Where <c>raw.tsv</c> and <c>table.md</c> go; null for the place that suits.</param>
internal sealed record CommandLine(IReadOnlyList<Scenario> Scenarios, int Rounds, bool Quick, bool List, bool Help, string? Results)
{
    /// <summary>How it is used.</summary>
    public const string Usage = """
        bench/run.sh [--rounds N] [--only SCENARIO,...] [--soak] [--quick] [--list] [--results DIR]
          --rounds N       how often each target of a scenario is measured (3)
          --only A,B       only these scenarios; a name with * at its end means all that begin so
          --soak           only 'soak', which takes five minutes and is not part of a whole run
          --quick          one round and short times: to see that it works, not to judge by
          --list           names the scenarios
          --results DIR    where raw.tsv and table.md go: bench/results for a whole run, else bench/.work/results
        Ends with 0 only when every bound holds.
        """;

    /// <summary>Whether this is a run that others may be shown: all scenarios, and no short times.</summary>
    public bool IsWhole => !Quick && AllScenarios.Default.All(Scenarios.Contains);

    /// <summary>The command to get this table again.</summary>
    public string Command
    {
        get
        {
            var words = new List<string> { "bench/run.sh" };
            if (Quick) words.Add("--quick");
            if (Rounds != DefaultRounds(Quick)) words.Add(string.Create(CultureInfo.InvariantCulture, $"--rounds {Rounds}"));
            if (!Scenarios.SequenceEqual(AllScenarios.Default)) words.Add("--only " + string.Join(',', Scenarios.Select(scenario => scenario.Name)));
            return string.Join(' ', words);
        }
    }

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="BenchException">They make no sense.</exception>
    public static CommandLine Parse(IReadOnlyList<string> arguments)
    {
        var line = new CommandLine(AllScenarios.Default, 0, Quick: false, List: false, Help: false, Results: null);
        for (var i = 0; i < arguments.Count; i++)
        {
            line = arguments[i] switch
            {
                "--rounds" => line with { Rounds = int.TryParse(Value(), CultureInfo.InvariantCulture, out var rounds) && rounds > 0 ? rounds : throw new BenchException("--rounds needs a number from 1") },
                "--only" => line with { Scenarios = Named(Value()) },
                "--soak" => line with { Scenarios = Named("soak") },
                "--quick" => line with { Quick = true },
                "--list" => line with { List = true },
                "--help" or "-h" => line with { Help = true },
                "--results" => line with { Results = Value() },
                var other => throw new BenchException($"'{other}' is not known\n{Usage}"),
            };

            string Value() => ++i < arguments.Count ? arguments[i] : throw new BenchException($"{arguments[i - 1]} needs a value");
        }

        return line.Rounds > 0 ? line : line with { Rounds = DefaultRounds(line.Quick) };
    }

    private static int DefaultRounds(bool quick) => quick ? 1 : 3;

    private static Scenario[] Named(string names)
    {
        var wanted = names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var name in wanted.Where(name => !AllScenarios.All.Any(scenario => Matches(scenario, name)))) throw new BenchException($"there is no scenario '{name}': see --list");
        return [.. AllScenarios.All.Where(scenario => wanted.Any(name => Matches(scenario, name)))];
    }

    private static bool Matches(Scenario scenario, string name) =>
        name.EndsWith('*') ? scenario.Name.StartsWith(name[..^1], StringComparison.Ordinal) : scenario.Name == name;
}
