using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;

namespace Entrepot.Bench.Micro;

/// <summary>Leaves <c>table.md</c>: on what it was measured, and one table. It is committed, so it names neither machine nor path.</summary>
internal sealed class TableExporter(string folder) : IExporter
{
    public string Name => "table";

    public void ExportToLog(Summary summary, ILogger logger)
    {
        logger.WriteLine("# Inner loops");
        logger.WriteLine();
        logger.WriteLine("Written by `bench/micro.sh`. Median and standard deviation of 20 rounds of 0.05 s; Allocated is by call.");
        logger.WriteLine();
        MarkdownExporter.GitHub.ExportToLog(summary, logger);
    }

    public IEnumerable<string> ExportToFiles(Summary summary, ILogger consoleLogger)
    {
        var text = new AccumulationLogger();
        ExportToLog(summary, text);
        var file = Path.Combine(folder, "table.md");
        File.WriteAllText(file, text.GetLog());
        return [file];
    }
}
