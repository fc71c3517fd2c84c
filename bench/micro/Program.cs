using System.Reflection;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Running;
using Entrepot.Bench.Micro;

if (args is not [{ Length: > 0 } folder, .. { Length: <= 1 } filters])
{
    await Console.Error.WriteLineAsync("usage: Entrepot.Bench.Micro FOLDER [FILTER]: measures what has FILTER in its name, and leaves table.md in FOLDER");
    return 2;
}

var config = new MicroConfig(folder, filters.FirstOrDefault() ?? "");
var types = typeof(MicroConfig).Assembly.GetTypes().Where(type => type.GetMethods().Any(method => method.GetCustomAttribute<BenchmarkAttribute>() is not null)).ToArray();
var all = types.SelectMany(type => BenchmarkConverter.TypeToBenchmarks(type).BenchmarksCases).ToList();
if (!all.Exists(config.IsWanted))
{
    await Console.Error.WriteLineAsync($"nothing has '{config.Filter}' in its name; there are:");
    foreach (var benchmark in all) await Console.Error.WriteLineAsync("  " + MicroConfig.NameOf(benchmark));
    return 2;
}

var summaries = BenchmarkRunner.Run(types, config);
// A failed set-up leaves no report, only a case without one.
var failed = summaries.Any(summary => summary.HasCriticalValidationErrors)
    || summaries.Sum(summary => summary.Reports.Count(report => report.Success)) < all.Count(config.IsWanted);
if (failed) await Console.Error.WriteLineAsync("not everything could be measured; what went wrong is above");
return failed ? 1 : 0;
