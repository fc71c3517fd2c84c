using System.Diagnostics.Metrics;
using System.Text;
using System.Text.RegularExpressions;
using Entrepot.Api;
using Entrepot.Api.Pull;
using Entrepot.Api.Responses;
using Entrepot.Contracts;
using Entrepot.Fetcher;
using Entrepot.Hosting;
using Entrepot.Hosting.Metrics;
using Entrepot.Janitor;
using Entrepot.Metadata;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Metadata;
using Entrepot.Upstreams;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Entrepot.UnitTests.Infra;

/// <summary>The table of metrics in docs/operations.md is what <c>/metrics</c> has, once everything has happened that is measured.</summary>
[Collection("meters of the process")]
public sealed partial class MetricsTableTests : IAsyncLifetime
{
    private static readonly Upstream Lab = new("lab.test", new UpstreamOptions { Url = new Uri("http://127.0.0.1:9") });
    private static readonly ApplicationLifetime Lifetime = new(NullLogger<ApplicationLifetime>.Instance);

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly SqliteTestServer _server = new();
    private MetricsRegistry _registry = null!;
    private IDatabase _database = null!;

    public async Task InitializeAsync()
    {
        _registry = new MetricsRegistry(_services.GetRequiredService<IMeterFactory>(), NullLogger<MetricsRegistry>.Instance);
        _registry.Start();
        _database = await _server.CreateAsync();
    }

    public async Task DisposeAsync()
    {
        _registry.Dispose();
        await _database.DisposeAsync();
        await _server.DropAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task The_table_has_every_metric_of_our_own_with_its_type_and_labels()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        Janitor(new JanitorMetrics());
        Fetcher(new FetcherMetrics());
        new ApiMetrics(meters).Redirected(Lab.Name, CacheState.Hit);
        Outbox(new Outbox(meters));
        using var upstreams = new UpstreamMetrics(() => [(Lab, new UpstreamQuota(null, 1, null, default))]);
        Upstreams(upstreams);
        var silent = new SilentUpstreams(new ApiOptions(), TimeProvider.System, Lifetime, NullLogger<SilentUpstreams>.Instance);
        silent.Add(Lab.Name, _ => Task.CompletedTask);
        silent.Remove(Lab.Name);

        // What is in the queue is asked for every few seconds.
        var queue = new FetchQueue(_database);
        await queue.JoinAsync(new FetchRequest { Kind = FetchKind.Tag, Upstream = Lab.Name, Repository = "a", Reference = "1", TrustDomain = Lab.TrustDomain }, CancellationToken.None);
        using var meter = new QueueMeter(queue, TimeProvider.System, NullLogger<QueueMeter>.Instance);
        await meter.StartAsync(CancellationToken.None);
        await Eventually.Async(() => Exported().Any(line => line.StartsWith("entrepot_fetches_active gauge kind", StringComparison.Ordinal)), TimeSpan.FromSeconds(20), "the queue to be measured");
        await meter.StopAsync(CancellationToken.None);

        Assert.Equal(DashboardTests.Own().Order(StringComparer.Ordinal), Exported().Select(line => line.Split(' ')[0]));
        Assert.Equal(Exported(), Table());
    }

    private static void Janitor(JanitorMetrics metrics)
    {
        metrics.Evicted(1, 1);
        metrics.OrphanRemoved();
    }

    private static void Fetcher(FetcherMetrics metrics)
    {
        metrics.Stored(Lab.Name, 1);
        metrics.Failed(Lab.Name, FetchOutcome.Corrupt);
        metrics.Resumed(Lab.Name);
        metrics.PassedThrough();
        metrics.NotStored();
        metrics.Fetched(FetchKind.Blob, TimeSpan.FromSeconds(1));
    }

    private static void Outbox(Outbox outbox)
    {
        outbox.Published();
        outbox.Dropped("full");
    }

    private static void Upstreams(UpstreamMetrics metrics)
    {
        metrics.CountRequest(Lab, HttpMethod.Get, "Ok");
        metrics.CountToken(Lab, "Ok");
        metrics.CountBytes(Lab, 1);
    }

    /// <summary>Of each family of ours its name, type and labels.</summary>
    private List<string> Exported()
    {
        var text = Encoding.UTF8.GetString(_registry.Scrape().Span);
        return
        [
            .. TypeLine().Matches(text).Select(family => family.Groups).Where(family => family["name"].Value.StartsWith("entrepot_", StringComparison.Ordinal)).Select(family => Line(
                family["name"].Value, family["type"].Value,
                Regex.Matches(text, $$"""^{{family["name"].Value}}(_bucket)?\{(?<labels>.*)\} """, RegexOptions.Multiline).SelectMany(sample => Label().Matches(sample.Groups["labels"].Value)).Select(label => label.Groups["key"].Value).Where(key => key != "le")))
                .Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>But for the one that is there only when another has overflowed.</summary>
    private static List<string> Table()
    {
        var page = File.ReadAllText(Path.Combine(Checkout.Root, "docs/operations.md"));
        return
        [
            .. Row().Matches(page).SelectMany(row => Code().Matches(row.Groups["names"].Value)
                .Select(name => Line(name.Groups["text"].Value, row.Groups["type"].Value, row.Groups["labels"].Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))))
                .Where(line => !line.StartsWith("entrepot_metrics_overflow_total ", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
        ];
    }

    private static string Line(string name, string type, IEnumerable<string> labels) => $"{name} {type} {string.Join(',', labels.Distinct().Order(StringComparer.Ordinal))}";

    [GeneratedRegex(@"^# TYPE (?<name>\S+) (?<type>\S+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex TypeLine();

    [GeneratedRegex("(?<key>\\w+)=\"(\\\\.|[^\"\\\\])*\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex(@"^\| (?<names>`entrepot_[^|]*) \| (?<type>\w+) \| (?<labels>[^|]*)\|", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Row();

    [GeneratedRegex("`(?<text>[^`]+)`", RegexOptions.ExplicitCapture)]
    private static partial Regex Code();
}
