using System.Collections.Immutable;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Filters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace Entrepot.Bench.Micro;

/// <summary>
/// How everything here is measured: time and allocation, in this process, because what a call costs is tens of nanoseconds and a process of its
/// own for each would cost more time than all measurements. All classes share one table.
/// </summary>
public sealed class MicroConfig : ManualConfig
{
    /// <summary>A configuration that leaves its table in <paramref name="folder"/> and measures what has <paramref name="filter"/> in its name; the empty one everything.</summary>
    public MicroConfig(string folder, string filter)
    {
        Filter = filter;
        ArtifactsPath = folder;
        Options |= ConfigOptions.JoinSummary | ConfigOptions.DisableLogFile;
        AddJob(new Job("Micro").WithToolchain(InProcessEmitToolchain.Instance).WithIterationTime(TimeInterval.FromMilliseconds(50)).WithWarmupCount(6).WithIterationCount(20));
        AddDiagnoser(new MemoryDiagnoser(new MemoryDiagnoserConfig(displayGenColumns: false)));
        AddColumnProvider(DefaultColumnProviders.Descriptor, DefaultColumnProviders.Metrics);
        // Whatever else runs on the machine disturbs some rounds, and the median least of all.
        AddColumn(StatisticColumn.Median, StatisticColumn.StdDev);
        AddLogger(ConsoleLogger.Unicode);
        AddExporter(new TableExporter(folder));
        Orderer = new ByClass();
        AddFilter(new SimpleFilter(IsWanted));
    }

    /// <summary>The part of a name that is asked for; empty for all.</summary>
    public string Filter { get; }

    /// <summary>The name that the filter is held against, such as <c>PathBenchmarks.Blob</c>.</summary>
    public static string NameOf(BenchmarkCase benchmark)
    {
        ArgumentNullException.ThrowIfNull(benchmark);
        return $"{benchmark.Descriptor.Type.Name}.{benchmark.Descriptor.WorkloadMethod.Name}";
    }

    /// <summary>Whether the filter, compared without case, lets it through.</summary>
    public bool IsWanted(BenchmarkCase benchmark) => NameOf(benchmark).Contains(Filter, StringComparison.OrdinalIgnoreCase);

    /// <summary>Class by class; in each as written there.</summary>
    private sealed class ByClass : DefaultOrderer
    {
        public override IEnumerable<BenchmarkCase> GetSummaryOrder(ImmutableArray<BenchmarkCase> benchmarksCases, Summary summary) =>
            benchmarksCases.OrderBy(benchmark => benchmark.Descriptor.Type.Name, StringComparer.Ordinal).ThenBy(benchmark => benchmark.Descriptor.MethodIndex);
    }
}
