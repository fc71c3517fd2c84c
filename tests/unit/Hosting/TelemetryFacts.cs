using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Entrepot.Hosting;
using Entrepot.Hosting.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Trace;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class TelemetryFacts
{
    private static readonly ActivitySource Source = new("Entrepot.TelemetryFacts");

    [Theory]
    [InlineData("HIT", false, 0, false)]
    [InlineData("HIT", false, 1, true)]
    [InlineData("HIT", true, 0, true)]
    [InlineData("MISS", false, 0, true)]
    [InlineData("STALE", false, 0, true)]
    [InlineData("COALESCED", false, 0, true)]
    [InlineData(null, false, 0, true)]
    public void Of_hits_some_are_traced_and_of_all_else_everything(string? answer, bool error, int oneOf, bool kept)
    {
        using var listening = Listen();
        using var activity = Source.StartActivity("pull")!;
        activity.SetTag(HitSampler.CacheTag, answer);
        activity.SetStatus(error ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
        using var sampler = new HitSampler(oneOf);
        sampler.OnEnd(activity);
        Assert.Equal(kept, activity.Recorded);
    }

    [Fact]
    public void Spans_below_a_hit_share_its_fate_and_about_one_of_so_many_is_kept()
    {
        using var listening = Listen();
        using var sampler = new HitSampler(10);
        var kept = 0;
        for (var i = 0; i < 2000; i++)
        {
            Activity.Current = null;
            using var request = Source.StartActivity("pull")!;
            request.SetTag(HitSampler.CacheTag, "HIT");
            using var store = Source.StartActivity("store")!;
            sampler.OnEnd(store);
            sampler.OnEnd(request);
            Assert.Equal(request.Recorded, store.Recorded);
            kept += request.Recorded ? 1 : 0;
        }

        Assert.InRange(kept, 100, 320);
    }

    [Theory]
    [InlineData(ActivityKind.Server, null, true)]
    [InlineData(ActivityKind.Server, false, true)] // A client that traces nothing itself.
    [InlineData(ActivityKind.Consumer, null, true)] // A fetch whose asker traces nothing.
    [InlineData(ActivityKind.Consumer, true, true)]
    [InlineData(ActivityKind.Consumer, false, false)]
    [InlineData(ActivityKind.Client, null, false)]
    [InlineData(ActivityKind.Client, true, true)]
    [InlineData(ActivityKind.Client, false, false)]
    [InlineData(ActivityKind.Producer, null, false)]
    [InlineData(ActivityKind.Internal, true, true)]
    public void What_no_request_asked_for_is_in_no_trace(ActivityKind kind, bool? isParentRecorded, bool kept)
    {
        var trace = ActivityTraceId.CreateRandom();
        var parent = isParentRecorded is { } recorded
            ? new ActivityContext(trace, ActivitySpanId.CreateRandom(), recorded ? ActivityTraceFlags.Recorded : ActivityTraceFlags.None) : default;
        var decision = new UpkeepSampler().ShouldSample(new SamplingParameters(parent, trace, "span", kind)).Decision;
        Assert.Equal(kept ? SamplingDecision.RecordAndSample : SamplingDecision.Drop, decision);
    }

    [Fact]
    public async Task Logs_and_traces_arrive_at_Seq_with_the_key_and_probes_and_hits_stay_out()
    {
        var got = new ConcurrentQueue<(string Path, string? Key, string Type, string Body)>();
        await using var seq = await TestHost.StartAsync(pipeline: app => app.Run(async c =>
        {
            using var body = new MemoryStream();
            await c.Request.Body.CopyToAsync(body);
            got.Enqueue((c.Request.Path, c.Request.Headers["X-Seq-ApiKey"], c.Request.ContentType!, Encoding.Latin1.GetString(body.ToArray())));
        }));
        await using (var host = await TestHost.StartAsync(
            new() { ["Telemetry:OtlpEndpoint"] = seq.Address.AbsoluteUri, ["Telemetry:ApiKey"] = "a=b,c d", ["Telemetry:HitSampling"] = "0", ["Telemetry:ServiceInstance"] = "replica-7" },
            pipeline: app => app.Run(c =>
            {
                Activity.Current!.SetTag(HitSampler.CacheTag, c.Request.Path == "/hit" ? "HIT" : "MISS");
                Activity.Current!.SetTag("pulled", c.Request.Path.Value);
                c.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Entrepot.Api").LogWarning("Pulled {What}", "x-image");
                return Task.CompletedTask;
            })))
        {
            // Without spans of its own, which would tell the paths too.
            using var client = new HttpClient(new SocketsHttpHandler { ActivityHeadersPropagator = null }) { BaseAddress = host.Address };
            foreach (var path in new[] { "/healthz", "/metrics", "/hit", "/cold-pull" })
                await client.GetAsync(path);
        }

        Assert.All(got, g => Assert.Equal(("a=b,c d", "application/x-protobuf"), (g.Key, g.Type)));
        var logs = string.Concat(got.Where(g => g.Path == "/ingest/otlp/v1/logs").Select(g => g.Body));
        var traces = string.Concat(got.Where(g => g.Path == "/ingest/otlp/v1/traces").Select(g => g.Body));
        Assert.Contains("Pulled {What}", logs, StringComparison.Ordinal);
        Assert.Contains("x-image", logs, StringComparison.Ordinal);
        Assert.Contains("entrepot-test", traces, StringComparison.Ordinal);
        Assert.Contains("replica-7", traces, StringComparison.Ordinal);
        Assert.Contains("/cold-pull", traces, StringComparison.Ordinal);
        Assert.DoesNotContain("/hit", traces, StringComparison.Ordinal);
        Assert.DoesNotContain("/healthz", traces, StringComparison.Ordinal);
        Assert.DoesNotContain("/metrics", traces, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_an_endpoint_nothing_of_OpenTelemetry_is_there()
    {
        await using var host = await TestHost.StartAsync();
        Assert.Empty(host.App.Services.GetServices<TracerProvider>());
        Assert.DoesNotContain(host.App.Services.GetServices<ILoggerProvider>(), p => p.GetType().FullName!.StartsWith("OpenTelemetry", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_is_one_line_whatever_it_is_made_of()
    {
        var line = Written(new LogLine(new ManualTime(), colours: false), LogLevel.Warning, "Bad name a\nb\r\u001b[31m", new IOException("disk\nfull"));
        Assert.Equal("2026-01-02 03:04:05.678Z warn  Reader: Bad name a\\nb\\r\\u001b[31m | System.IO.IOException: disk\\nfull\n", line);
        Assert.Contains("\n    System.IO.IOException: disk\n", Written(new LogLine(new ManualTime(), colours: false), LogLevel.Error, "x", new IOException("disk")), StringComparison.Ordinal);
        Assert.Contains("\u001b[33mwarn \u001b[0m Reader: x", Written(new LogLine(new ManualTime(), colours: true), LogLevel.Warning, "x", null), StringComparison.Ordinal);
    }

    [Fact]
    public void A_JSON_entry_has_its_parts()
    {
        using var listening = Listen();
        using var activity = Source.StartActivity("pull")!;
        var json = JsonDocument.Parse(Written(new LogJson(new ManualTime()), LogLevel.Information, "Blob \"é\"\n stored", new IOException("disk"))).RootElement;
        Assert.Equal("2026-01-02T03:04:05.678Z", json.GetProperty("time").GetString());
        Assert.Equal("Information", json.GetProperty("level").GetString());
        Assert.Equal("Entrepot.Storage.Reader", json.GetProperty("category").GetString());
        Assert.Equal("Blob \"é\"\n stored", json.GetProperty("message").GetString());
        Assert.Equal("Blob {Digest}", json.GetProperty("template").GetString());
        Assert.Equal(5, json.GetProperty("properties").GetProperty("SizeBytes").GetInt64());
        Assert.Equal(activity.TraceId.ToHexString(), json.GetProperty("trace").GetString());
        Assert.StartsWith("System.IO.IOException: disk", json.GetProperty("exception").GetString(), StringComparison.Ordinal);
    }

    private static string Written(ConsoleFormatter formatter, LogLevel level, string message, Exception? exception)
    {
        using var text = new StringWriter();
        KeyValuePair<string, object?>[] state = [new("SizeBytes", 5), new("{OriginalFormat}", "Blob {Digest}")];
        formatter.Write(new LogEntry<KeyValuePair<string, object?>[]>(level, "Entrepot.Storage.Reader", new(7), state, exception, (_, _) => message), null, text);
        return text.ToString();
    }

    private static ActivityListener Listen()
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == "Entrepot.TelemetryFacts",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
