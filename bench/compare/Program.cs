using System.Globalization;
using Entrepot.Bench;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Scenarios;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;
using Entrepot.TestSupport.Running;

return await Interruptible.RunAsync(async cancellationToken =>
{
    var line = CommandLine.Parse(args);
    if (line.Help) return Say(CommandLine.Usage);
    if (line.List) return Say(string.Join('\n', AllScenarios.All.Select(scenario => $"{scenario.Name,-20}{scenario.What}")));
    return await RunAsync(line, cancellationToken);
});

static int Say(string text)
{
    Console.WriteLine(text);
    return 0;
}

static async Task<int> RunAsync(CommandLine line, CancellationToken cancellationToken)
{
    using var work = WorkFolder.Open();
    var began = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
    var machine = Machine.Describe();
    var version = await Machine.EntrepotVersionAsync(cancellationToken);
    var results = line.Results ?? (line.IsWhole ? Path.Combine(Checkout.Root, "bench", "results") : Path.Combine(work.Root, "results"));
    var images = await BenchImages.OpenAsync(work, cancellationToken);
    await using var upstream = await Upstream.StartAsync(work, images, cancellationToken);
    await using var telemetry = await OtlpReceiver.StartAsync(cancellationToken);
    await Reader.ProveAsync(new Direct(upstream, Shape.None).LayerOf(images.Big), images.Big.Layers[0].Digest, cancellationToken);
    var samples = new Samples();
    var run = new BenchRun(
        work, images, upstream, Certificate.Make(work), telemetry, line.Rounds, line.Quick, samples, new RawLines(Path.Combine(results, "raw.tsv"), $"{began}\t{version}"));
    foreach (var scenario in line.Scenarios) await scenario.RunAsync(run, cancellationToken);

    var rows = line.Scenarios.SelectMany(scenario => scenario.Rows(samples)).ToArray();
    var missed = rows.Count(row => row.Holds == false);
    var report = Report.Of(line, began, version, machine, await Machine.VersionsAsync([("nginx", "-v"), ("docker-registry", "--version"), ("wrk", "-v"), ("skopeo", "--version")], cancellationToken), rows, run.Failures);
    await File.WriteAllTextAsync(Path.Combine(results, "table.md"), report, cancellationToken);
    Console.WriteLine($"\n{report}");
    return missed == 0 && !run.Failures.Any(failure => failure.Counts) ? 0 : 1;
}
