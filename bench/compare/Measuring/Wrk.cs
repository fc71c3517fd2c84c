using System.Globalization;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;

namespace Entrepot.Bench.Measuring;

/// <summary>Many small requests: <c>wrk</c> with one thread and 32 connections.</summary>
internal static class Wrk
{
    /// <summary>The command.</summary>
    public const string Command = "wrk";

    // Its own report rounds what it prints; here are the numbers themselves, times in microseconds.
    private const string Report = """
        done = function(summary, latency, requests)
          local e = summary.errors
          io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
        end

        """;

    /// <summary>Asks again and again for one URL.</summary>
    /// <exception cref="BenchException">wrk failed, or a request did.</exception>
    public static async Task<Storm> RunAsync(Uri url, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var folder = new TempFolder("wrk");
        var script = folder.File("report.lua");
        await File.WriteAllTextAsync(script, Report, cancellationToken);
        var seconds = string.Create(CultureInfo.InvariantCulture, $"-d{duration.TotalSeconds:0}s");
        var result = await ChildProcess.RunAsync(
            Command, ["-t1", "-c32", seconds, "--timeout", "10s", "-s", script, "-H", $"Accept: {MediaTypes.AcceptAll}", url.AbsoluteUri], cancellationToken: cancellationToken);
        var line = result.StandardOutput.Split('\n').FirstOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal));
        if (result.ExitCode != 0 || line is null) throw new BenchException($"wrk failed: {result.Output}");
        var numbers = line.Split(' ')[1..].Select(word => long.Parse(word, CultureInfo.InvariantCulture)).ToArray();
        if (numbers[4] > 0) throw new BenchException($"{numbers[4]} of {numbers[0]} requests for {url.AbsolutePath} failed");
        return new Storm(numbers[0], numbers[0] / (numbers[1] / 1e6), numbers[2] / 1e3, numbers[3] / 1e3);
    }
}

/// <summary>How a storm of small requests went.</summary>
/// <param name="Requests">How many were answered.</param>
/// <param name="PerSecond">Requests per second.</param>
/// <param name="MedianMilliseconds">Half of the answers came within this time.</param>
/// <param name="Worst1PercentMilliseconds">99 of 100 answers came within this time.</param>
internal sealed record Storm(long Requests, double PerSecond, double MedianMilliseconds, double Worst1PercentMilliseconds);
