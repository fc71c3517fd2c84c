using System.Globalization;

namespace Entrepot.Bench.Results;

/// <summary>Every measured value as a line of <c>raw.tsv</c>, appended when it is known.</summary>
internal sealed class RawLines
{
    private readonly string _file;
    private readonly string _run;

    /// <summary>Opens the file, which is made with a line of titles when it is missing.</summary>
    /// <param name="file">The file.</param>
    /// <param name="run">What all lines of this run begin with: its time and version.</param>
    public RawLines(string file, string run)
    {
        _file = file;
        _run = run;
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        if (!File.Exists(file)) File.WriteAllText(file, "run\tversion\tscenario\tround\ttarget\tmetric\tvalue\n");
    }

    /// <summary>Appends a value.</summary>
    public void Add(string scenario, int round, string target, Metric metric, double value) =>
        File.AppendAllText(_file, string.Create(CultureInfo.InvariantCulture, $"{_run}\t{scenario}\t{round}\t{target}\t{metric.Name}\t{value:0.####}\n"));
}
