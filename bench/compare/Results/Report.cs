using System.Globalization;
using System.Text;

namespace Entrepot.Bench.Results;

/// <summary>The table with all that is needed to read it: what, when, where, how.</summary>
internal static class Report
{
    /// <summary>The text of <c>table.md</c>.</summary>
    public static string Of(
        CommandLine line, string began, string version, string machine, string versions, IReadOnlyList<Row> rows, IReadOnlyList<Failure> failures)
    {
        var limits = rows.Where(row => row.Holds is not null).ToArray();
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# Entrepot beside its peers\n\n");
        text.Append(CultureInfo.InvariantCulture, $"- `{line.Command}`, {began} UTC, Entrepot {version}\n");
        text.Append(CultureInfo.InvariantCulture, $"- {machine}\n- {versions}\n");
        text.Append(CultureInfo.InvariantCulture, $"- {line.Rounds} round{(line.Rounds == 1 ? "" : "s")}; in each the targets of a scenario took turns, in another order each time. Values are medians.\n");
        text.Append("- A ratio (×) or difference (+) is that of one round: the median counts, the range is behind it. Upstream bytes, peak RSS and growth count at their worst.\n\n");
        text.Append(Table.Of(rows));
        text.Append(CultureInfo.InvariantCulture, $"\n{limits.Count(row => row.Holds == true)} of {limits.Length} bounds hold.\n");
        foreach (var failure in failures) text.Append(CultureInfo.InvariantCulture, $"\nFailed: {failure.Scenario}, {failure.Target}: {failure.Why.ReplaceLineEndings(" ")}\n");
        return text.ToString();
    }
}
