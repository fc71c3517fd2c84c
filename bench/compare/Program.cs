using System.Globalization;
using System.Runtime.InteropServices;
using Entrepot.Bench;
using Entrepot.Bench.Measuring;
using Entrepot.Bench.Results;
using Entrepot.Bench.Running;
using Entrepot.Bench.Scenarios;
using Entrepot.Bench.Targets;
using Entrepot.Bench.Upstreams;
using Entrepot.TestSupport.Running;

// Ctrl-C ends what runs and drops the caches; a second one ends at once, and the guardian ends what is left.
using var stop = new CancellationTokenSource();
using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

try
{
    var line = CommandLine.Parse(args);
    if (line.Help) return Say(CommandLine.Usage);
    if (line.List) return Say(string.Join('\n', AllScenarios.All.Select(scenario => $"{scenario.Name,-20}{scenario.What}")));
    return await RunAsync(line, stop.Token);
}
catch (Exception) when (stop.IsCancellationRequested) // What is cut in its middle fails in its own way.
{
    await Console.Error.WriteLineAsync("bench: ended before its time");
    return 130;
}
catch (BenchException e)
{
    await Console.Error.WriteLineAsync($"bench: {e.Message}");
    return 2;
}

void Stop(PosixSignalContext signal)
{
    Console.Error.WriteLine($"bench: {signal.Signal}");
    signal.Cancel = true;
    if (stop.IsCancellationRequested) Environment.Exit(130);
    stop.Cancel();
}

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
    var report = Report.Of(line, began, version, machine, await Machine.VersionsAsync(cancellationToken), rows, run.Failures);
    await File.WriteAllTextAsync(Path.Combine(results, "table.md"), report, cancellationToken);
    Console.WriteLine($"\n{report}");
    return missed == 0 && !run.Failures.Any(failure => failure.Counts) ? 0 : 1;
}
