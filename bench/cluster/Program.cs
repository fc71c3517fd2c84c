using System.Globalization;
using Entrepot.Bench.Cluster;
using Entrepot.Bench.Cluster.Chaos;
using Entrepot.Bench.Cluster.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Running;

return await Interruptible.RunAsync(async cancellationToken =>
{
    var chaos = args is ["chaos", ..];
    var words = chaos ? args[1..] : args;
    if (words.Intersect(["-h", "--help"]).Any())
    {
        Console.WriteLine(chaos ? ChaosLine.Usage : MeasureLine.Usage);
        return 0;
    }

    return chaos ? await ChaosAsync(ChaosLine.Parse(words), cancellationToken) : await MeasureAsync(MeasureLine.Parse(words), cancellationToken);
});

static async Task<int> ChaosAsync(ChaosLine line, CancellationToken cancellationToken)
{
    var head = await Head.NowAsync("A fetcher is lost in the middle of a download", line.Command, cancellationToken);
    var results = await new ChaosBench(line).RunAsync(cancellationToken);
    await WriteAsync(line.Results, line.IsWhole, "chaos.md", head.ToString() + ChaosTable.Of(line, results), cancellationToken);
    return results.All(result => result.Holds) ? 0 : 1;
}

static async Task<int> MeasureAsync(MeasureLine line, CancellationToken cancellationToken)
{
    var head = await Head.NowAsync("The cluster, measured", line.Command, cancellationToken);
    var (samples, failures) = (new Samples(), new List<string>());
    foreach (var measurement in line.Measurements)
    {
        Console.WriteLine($"\n{measurement.Name}: {measurement.What} ({TestClock.Now:mm\\:ss} so far)");
        try
        {
            await measurement.RunAsync(line, samples, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested) // The loop of the run: what one measurement lacks is told, the others go on.
        {
            Console.WriteLine($"  failed: {e.Message}");
            failures.Add($"{measurement.Name}: {e.Message}");
        }
    }

    var rows = line.Measurements.SelectMany(measurement => measurement.Bounds.Select(bound => Row.Of(measurement.Name, bound, samples))).ToArray();
    var limits = rows.Where(row => row.Holds is not null).ToArray();
    var text = $"""
        {head}- {line.Rounds} round{(line.Rounds == 1 ? "" : "s")}. Values are medians. A ratio (×) is that of one round: the median counts, the range is behind it.
        {string.Concat(line.Measurements.Select(measurement => $"- `{measurement.Name}`: {measurement.What}\n"))}
        {Table.Of(rows)}
        {limits.Count(row => row.Holds == true)} of {limits.Length} bounds hold.

        """ + string.Concat(failures.Select(failure => $"\nFailed: {failure.ReplaceLineEndings(" ")}\n"));
    await WriteAsync(line.Results, line.IsWhole, "cluster.md", text, cancellationToken);
    return failures.Count == 0 && limits.All(row => row.Holds == true) ? 0 : 1;
}

static async Task WriteAsync(string? folder, bool whole, string name, string text, CancellationToken cancellationToken)
{
    var file = Path.Combine(Directory.CreateDirectory(folder ?? Path.Combine(Checkout.Root, "bench", whole ? "results" : ".work/results")).FullName, name);
    await File.WriteAllTextAsync(file, text, cancellationToken);
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{text}\nWritten to {file}"));
}
