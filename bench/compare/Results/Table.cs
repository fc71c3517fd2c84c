using System.Text;

namespace Entrepot.Bench.Results;

/// <summary>Markdown tables, padded so that they can be read as they are.</summary>
internal static class Table
{
    private static readonly string[] Titles = ["scenario", "what", "entrepot", "peer", "figure", "bound", "ok"];

    /// <summary>The table of these bounds.</summary>
    public static string Of(IEnumerable<Row> rows) => Of(Titles, rows.Select(Cells));

    /// <summary>A table of these columns.</summary>
    /// <param name="titles">The first line.</param>
    /// <param name="cells">The others, each as long as the first.</param>
    public static string Of(IReadOnlyList<string> titles, IEnumerable<IReadOnlyList<string>> cells)
    {
        var lines = cells.Prepend(titles).ToArray();
        var widths = titles.Select((_, column) => lines.Max(line => line[column].Length)).ToArray();
        var text = new StringBuilder();
        foreach (var (line, index) in lines.Select((line, index) => (line, index)))
        {
            text.Append("| ").AppendJoin(" | ", line.Select((cell, column) => cell.PadRight(widths[column]))).Append(" |\n");
            if (index == 0) text.Append('|').AppendJoin('|', widths.Select(width => new string('-', width + 2))).Append("|\n");
        }

        return text.ToString();
    }

    private static string[] Cells(Row row) =>
    [
        row.Scenario,
        row.Bound.Metric.Name,
        Value(row, row.Subject, row.Bound.Subject),
        row.Bound.Peer is { } peer ? Value(row, row.Peer, peer) : "",
        row.ShowFigure(),
        row.ShowBound(),
        row.Holds switch { true => "yes", false => "NO", null => "" },
    ];

    private static string Value(Row row, double? value, string name) => $"{(value is { } number ? row.Bound.Metric.Show(number) : "-")} ({name})";
}
