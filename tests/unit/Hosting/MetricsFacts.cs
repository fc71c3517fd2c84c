using System.Diagnostics.Metrics;
using System.Text;
using System.Text.RegularExpressions;
using Entrepot.Hosting.Metrics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

[Collection("meters of the process")]
public sealed partial class MetricsFacts : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly MetricsRegistry _registry;
    private readonly Meter _meter;

    public MetricsFacts()
    {
        _registry = new(_services.GetRequiredService<IMeterFactory>(), NullLogger<MetricsRegistry>.Instance);
        _registry.Start();
        _meter = _services.GetRequiredService<IMeterFactory>().Create("Entrepot.Try");
    }

    public void Dispose()
    {
        _registry.Dispose();
        _services.Dispose();
    }

    [Theory]
    [InlineData("entrepot.outbox.dropped", "{message}", "Counter", "entrepot_outbox_dropped_total")]
    [InlineData("entrepot_done_total", null, "Counter", "entrepot_done_total")]
    [InlineData("dotnet.process.cpu.time", "s", "Counter", "dotnet_process_cpu_time_seconds_total")]
    [InlineData("entrepot.fetch.bytes", "By", "Counter", "entrepot_fetch_bytes_total")]
    [InlineData("http.server.request.duration", "s", "Histogram", "http_server_request_duration_seconds")]
    [InlineData("entrepot.fetch.rate", "By/s", "Histogram", "entrepot_fetch_rate_bytes_per_second")]
    [InlineData("entrepot.hit", "1", "Gauge", "entrepot_hit_ratio")]
    [InlineData("entrepot.level", "%", "Gauge", "entrepot_level_percent")]
    [InlineData("9 lives--left", null, "Gauge", "_9_lives_left")]
    public void A_family_is_named_as_Prometheus_wants(string name, string? unit, string kind, string expected) =>
        Assert.Equal(expected, MetricName.Family(name, unit, Enum.Parse<MetricKind>(kind)));

    [Fact]
    public void Counters_gauges_and_up_down_counters_are_written_with_help_and_type()
    {
        var counter = _meter.CreateCounter<long>("entrepot.pulls", "{pull}", "Pulls\nby \\ \"kind\"");
        counter.Add(2, new KeyValuePair<string, object?>("kind", "blob"));
        counter.Add(3, new KeyValuePair<string, object?>("kind", "blob"));
        var running = _meter.CreateUpDownCounter<int>("entrepot.running");
        running.Add(5);
        running.Add(-7);
        var gauge = _meter.CreateGauge<double>("entrepot.fill", "By");
        gauge.Record(1);
        gauge.Record(0.5);
        Assert.Equal(
            """
            # TYPE entrepot_fill_bytes gauge
            entrepot_fill_bytes 0.5
            # HELP entrepot_pulls_total Pulls\nby \\ "kind"
            # TYPE entrepot_pulls_total counter
            entrepot_pulls_total{kind="blob"} 5
            # TYPE entrepot_running gauge
            entrepot_running -2

            """, Ours());
    }

    [Fact]
    public void Label_values_are_escaped_and_names_cleaned()
    {
        var counter = _meter.CreateCounter<long>("entrepot.c");
        counter.Add(1, new("http.method", "a\"b\\c\nd"), new KeyValuePair<string, object?>("le", "é"), new KeyValuePair<string, object?>("__x", true));
        counter.Add(1, new("a.b", 1), new KeyValuePair<string, object?>("a_b", 2));
        Assert.Contains("""entrepot_c_total{key__x="true",http_method="a\"b\\c\nd",le_="é"} 1""", Ours(), StringComparison.Ordinal);
        Assert.Contains("""entrepot_c_total{a_b="1;2"} 1""", Ours(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_order_of_tags_their_types_and_empty_ones_make_no_new_series()
    {
        var counter = _meter.CreateCounter<long>("entrepot.c");
        counter.Add(1, new("a", "1"), new KeyValuePair<string, object?>("b", 200));
        counter.Add(1, new("b", "200"), new KeyValuePair<string, object?>("a", 1L), new KeyValuePair<string, object?>("c", null));
        counter.Add(1, new("b", 200), new("c", ""), new KeyValuePair<string, object?>("a", 1));
        Assert.Contains("""entrepot_c_total{a="1",b="200"} 3""", Ours(), StringComparison.Ordinal);
        Assert.Equal(1, Ours().Split('\n').Count(l => l.StartsWith("entrepot_c_total", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_known_series_is_updated_without_an_allocation()
    {
        var counter = _meter.CreateCounter<long>("entrepot.c");
        for (var warmUp = 0; warmUp < 1000; warmUp++)
            counter.Add(1, new("kind", "blob"), new KeyValuePair<string, object?>("upstream", "docker.io"));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            counter.Add(1, new("kind", "blob"), new KeyValuePair<string, object?>("upstream", "docker.io"));
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Histograms_are_cumulative_and_take_the_advised_bounds()
    {
        var histogram = _meter.CreateHistogram("entrepot.h", "s", null, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.5, 2] });
        foreach (var value in new[] { 0.1, 0.5, 1.5, 99, double.NaN })
            histogram.Record(value, new KeyValuePair<string, object?>("k", "v"));
        Assert.Equal(
            """
            # TYPE entrepot_h_seconds histogram
            entrepot_h_seconds_bucket{k="v",le="0.5"} 2
            entrepot_h_seconds_bucket{k="v",le="2"} 3
            entrepot_h_seconds_bucket{k="v",le="+Inf"} 4
            entrepot_h_seconds_sum{k="v"} 101.1
            entrepot_h_seconds_count{k="v"} 4

            """, Ours());
    }

    [Fact]
    public void Sizes_without_advice_have_buckets_from_kibibytes_to_gibibytes()
    {
        _meter.CreateHistogram<long>("entrepot.size", "By").Record(5000);
        Assert.Contains("entrepot_size_bytes_bucket{le=\"1024\"} 0\nentrepot_size_bytes_bucket{le=\"4096\"} 0\nentrepot_size_bytes_bucket{le=\"16384\"} 1\n", Ours(), StringComparison.Ordinal);
        Assert.Contains("le=\"17179869184\"", Ours(), StringComparison.Ordinal);
    }

    [Fact]
    public void Observable_instruments_tell_the_present_and_nothing_that_is_gone()
    {
        var hosts = new List<string> { "a", "b" };
        _meter.CreateObservableGauge("entrepot.quota", () => hosts.Select((h, i) => new Measurement<int>(i + 10, new KeyValuePair<string, object?>("host", h))));
        _meter.CreateObservableCounter("entrepot.seen", () => 41.5, "s");
        Assert.Contains("entrepot_quota{host=\"b\"} 11", Ours(), StringComparison.Ordinal);
        hosts.Remove("b");
        var now = Ours();
        Assert.Contains("entrepot_quota{host=\"a\"} 10", now, StringComparison.Ordinal);
        Assert.DoesNotContain("host=\"b\"", now, StringComparison.Ordinal);
        Assert.Contains("entrepot_seen_seconds_total 41.5", now, StringComparison.Ordinal);
    }

    [Fact]
    public void A_callback_that_throws_spoils_no_other()
    {
        _meter.CreateObservableGauge<int>("entrepot.bad", (Func<int>)(() => throw new InvalidOperationException("x")));
        _meter.CreateObservableGauge("entrepot.good", () => 1);
        Assert.Contains("entrepot_good 1", Ours(), StringComparison.Ordinal);
    }

    [Fact]
    public void Label_sets_beyond_the_bound_are_summed_up_and_counted()
    {
        var counter = _meter.CreateCounter<long>("entrepot.c");
        for (var i = 0; i < 300; i++)
            counter.Add(2, new KeyValuePair<string, object?>("digest", i));
        counter.Add(2, new KeyValuePair<string, object?>("digest", 0));
        var text = Ours();
        Assert.Equal(201, text.Split('\n').Count(l => l.StartsWith("entrepot_c_total{", StringComparison.Ordinal)));
        Assert.Contains("entrepot_c_total{otel_metric_overflow=\"true\"} 200", text, StringComparison.Ordinal);
        Assert.Contains("entrepot_c_total{digest=\"0\"} 4", text, StringComparison.Ordinal);
        Assert.Contains("entrepot_metrics_overflow_total{metric=\"entrepot_c_total\"} 100", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_measurement_of_many_threads_is_lost()
    {
        var whole = _meter.CreateCounter<long>("entrepot.whole");
        var fraction = _meter.CreateCounter<double>("entrepot.fraction");
        var histogram = _meter.CreateHistogram<double>("entrepot.h", "s");
        using var stop = new CancellationTokenSource();
        var scraping = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
                _registry.Scrape();
        });
        await Task.WhenAll(Enumerable.Range(0, 8).Select(t => Task.Run(() =>
        {
            for (var i = 0; i < 20_000; i++)
            {
                var tag = new KeyValuePair<string, object?>("k", i % 50);
                whole.Add(1, tag);
                fraction.Add(0.5);
                histogram.Record(0.25, tag);
            }
        })));
        await stop.CancelAsync();
        await scraping;
        var text = Ours();
        Assert.Equal(50, text.Split('\n').Count(l => l.StartsWith("entrepot_whole_total{", StringComparison.Ordinal) && l.EndsWith(" 3200", StringComparison.Ordinal)));
        Assert.Equal(50, text.Split('\n').Count(l => l.StartsWith("entrepot_h_seconds_count{", StringComparison.Ordinal) && l.EndsWith(" 3200", StringComparison.Ordinal)));
        Assert.Contains("entrepot_h_seconds_sum{k=\"7\"} 800\n", text, StringComparison.Ordinal);
        Assert.Contains("entrepot_fraction_total 80000\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Meters_of_other_names_and_of_other_hosts_are_not_shown()
    {
        using var other = new ServiceCollection().AddMetrics().BuildServiceProvider();
        other.GetRequiredService<IMeterFactory>().Create("Entrepot.Try").CreateCounter<long>("entrepot.theirs").Add(1);
        using var foreign = new Meter("Foreign");
        foreign.CreateCounter<long>("entrepot.foreign").Add(1);
        using var shared = new Meter("Entrepot.Shared");
        shared.CreateCounter<long>("entrepot.shared").Add(1);
        Assert.Contains("entrepot_shared_total 1", Ours(), StringComparison.Ordinal);
        Assert.DoesNotContain("theirs", Ours(), StringComparison.Ordinal);
        Assert.DoesNotContain("foreign", Ours(), StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_are_exact_and_invariant()
    {
        _meter.CreateCounter<long>("entrepot.big").Add(123_456_789_012_345);
        _meter.CreateGauge<double>("entrepot.inf").Record(double.PositiveInfinity);
        _meter.CreateGauge<double>("entrepot.nan").Record(double.NaN);
        _meter.CreateGauge<double>("entrepot.small").Record(1e-9);
        var text = Ours();
        Assert.Contains("entrepot_big_total 123456789012345\n", text, StringComparison.Ordinal);
        Assert.Contains("entrepot_inf +Inf\n", text, StringComparison.Ordinal);
        Assert.Contains("entrepot_nan NaN\n", text, StringComparison.Ordinal);
        Assert.Contains("entrepot_small 1E-09\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_running_host_shows_its_requests_but_not_its_scrapes()
    {
        await using var host = await TestHost.StartAsync(pipeline: app => app.Run(c => c.Response.WriteAsync("hi")));
        using var client = new HttpClient { BaseAddress = host.Address };
        await client.GetStringAsync("/metrics");
        await client.GetStringAsync("/readyz");
        await client.GetStringAsync("/pull");
        var response = await client.GetAsync("/metrics");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        var text = await response.Content.ReadAsStringAsync();
        Assert.Matches("http_server_request_duration_seconds_count\\{[^}]*\\} 1\n", text);
        Assert.Contains("kestrel_active_connections{", text, StringComparison.Ordinal);
        Assert.Contains("# TYPE dotnet_gc_collections_total counter", text, StringComparison.Ordinal);
        Assert.DoesNotContain("entrepot_outbox", text, StringComparison.Ordinal);
    }

    /// <summary>What this test's own meter made: clients of upstreams in tests that run beside it have meters that every registry of the process sees.</summary>
    [GeneratedRegex("^(# (HELP|TYPE) )?entrepot_(bad|big|c|fill|foreign|fraction|good|h|inf|metrics_overflow|nan|pulls|quota|running|seen|shared|size|small|theirs|whole)(_seconds|_bytes|_total|[ {])")]
    private static partial Regex Measured();

    /// <summary>The lines about what this test's meter measures: meters of other tests are in the same process.</summary>
    private string Ours()
    {
        var lines = Encoding.UTF8.GetString(_registry.Scrape().Span).Split('\n').Where(line => Measured().IsMatch(line));
        return string.Concat(lines.Select(line => line + "\n"));
    }
}
