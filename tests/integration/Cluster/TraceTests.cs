using System.Globalization;
using System.Security.Cryptography;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Telemetry;
using Xunit;
using Xunit.Abstractions;

namespace Entrepot.IntegrationTests.Cluster;

/// <summary>What Seq gets of a pull through the whole cluster; a receiver of the tests stands where it would be.</summary>
[Collection(ClusterCollection.Name)]
public sealed class TraceTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTest(fixture)
{
    private const string ApiService = "entrepot-api", FetcherService = "entrepot-fetcher";

    [Fact]
    public async Task A_cold_pull_is_one_trace_over_the_broker_to_the_upstream_and_both_services_log_in_it()
    {
        var (repository, layer) = await Fixture.NewImageAsync(3);
        var (trace, client) = (RandomNumberGenerator.GetHexString(32, lowercase: true), RandomNumberGenerator.GetHexString(16, lowercase: true));
        var options = new BlobReadOptions { Headers = new Dictionary<string, string> { ["traceparent"] = $"00-{trace}-{client}-01" } };
        var read = await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[0], repository, layer.Digest, options);
        Assert.Equal((200, "MISS", layer.Digest), (read.Status, read.XCache, read.Digest));

        // Both ways over the broker, and the logs, which go out by themselves. The announcement of the stored blob is the last that happens.
        await Eventually.Async(
            () => Has(FetcherService, "MassTransit", "pull Blob > outbox publish > ") && Has(ApiService, "MassTransit", "pull Blob > fetch Blob > outbox publish > Entrepot.Contracts:FetchFinished send > ") && Fixture.Seq.LogsOf(trace).Count >= 2,
            TimeSpan.FromSeconds(30), "the whole trace and its logs");
        var spans = Fixture.Seq.SpansOf(trace);
        foreach (var span in spans.OrderBy(s => s.StartNs)) output.WriteLine($"{(span.EndNs - span.StartNs) / 1e6,8:0.0} ms  {span.Instance,-10} {span.Source,-22} {Path(span)}");

        // Each lies below the one that caused it, in the other service too.
        var pull = Assert.Single(spans, s => s.Name == "pull Blob");
        Assert.Equal((ApiService, "api-1", client), (pull.Service, pull.Instance, pull.ParentId));
        var fetch = Assert.Single(spans, s => s.Name == "fetch Blob");
        Assert.Equal((FetcherService, pull.Id), (fetch.Service, fetch.ParentId));
        Assert.Contains(spans, s => Path(s) == "pull Blob > fetch Blob > download > GET" && s.Attributes["server.port"] == Fixture.Upstream.Url.Port.ToString(CultureInfo.InvariantCulture));
        Assert.Contains(spans, s => Path(s) == "pull Blob > fetch Blob > store > PUT");
        Assert.Contains(spans, s => s.Service == FetcherService && s.Source == "Npgsql" && s.ParentId == fetch.Id);

        // What the queries of docs/operations.md ask for.
        Assert.Equal("MISS", pull.Attributes["entrepot.cache"]);
        Assert.All([pull, fetch], s => Assert.Equal((repository, layer.Digest, fetch.Attributes["entrepot.fetch"]), (s.Attributes["entrepot.repository"], s.Attributes["entrepot.reference"], s.Attributes["entrepot.fetch"])));

        // The logs of both, at their spans.
        var pulled = Assert.Single(Fixture.Seq.LogsOf(trace), l => l.Service == ApiService && l.Template.StartsWith("{Method} {Path} answered", StringComparison.Ordinal));
        Assert.Equal((pull.Id, "Information", "GET", "200", "MISS", "127.0.0.1"), (pulled.SpanId, pulled.Severity, pulled.Attributes["Method"], pulled.Attributes["Status"], pulled.Attributes["Cache"], pulled.Attributes["Client"]));
        var stored = Assert.Single(Fixture.Seq.LogsOf(trace), l => l.Service == FetcherService && l.Template.StartsWith("Blob {Digest} stored", StringComparison.Ordinal));
        Assert.Equal((fetch.Id, layer.Digest), (stored.SpanId, stored.Attributes["Digest"]));

        bool Has(string service, string source, string above) => Fixture.Seq.SpansOf(trace).Any(s => s.Service == service && s.Source == source && Path(s).StartsWith(above, StringComparison.Ordinal));

        string Path(OtlpSpan span)
        {
            var all = Fixture.Seq.SpansOf(trace).ToDictionary(s => s.Id);
            var path = span.Name;
            for (var above = all.GetValueOrDefault(span.ParentId); above is not null; above = all.GetValueOrDefault(above.ParentId)) path = $"{above.Name} > {path}";
            return path;
        }
    }

    [Fact]
    public async Task What_no_pull_asked_for_is_in_no_trace()
    {
        // Timers of all processes have been at it meanwhile: claims, leases, sweeps, batches of accesses.
        var (repository, layer) = await Fixture.NewImageAsync(1);
        await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[0], repository, layer.Digest);
        await Eventually.Async(() => Fixture.Seq.Spans.Any(s => s.Name == "fetch Blob" && s.Attributes["entrepot.reference"] == layer.Digest), TimeSpan.FromSeconds(10), "the trace of a pull");
        Assert.DoesNotContain(Fixture.Seq.Spans, s => s.ParentId.Length == 0 && s.Source != "Microsoft.AspNetCore");
    }

    [Fact]
    public async Task Nothing_that_is_exported_of_a_pull_holds_a_signed_address_or_another_secret()
    {
        // One that is downloaded and stored, and then read from the store by another replica: in a trace of which hits are exported, too.
        var (repository, layer) = await Fixture.NewImageAsync(3);
        var trace = RandomNumberGenerator.GetHexString(16, lowercase: true) + new string('0', 16);
        var options = new BlobReadOptions { Headers = new Dictionary<string, string> { ["traceparent"] = $"00-{trace}-{RandomNumberGenerator.GetHexString(16, lowercase: true)}-01" } };
        await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[0], repository, layer.Digest, options);
        await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(Fixture.Cluster.Apis[1], repository, layer.Digest, options)).XCache == "HIT", TimeSpan.FromSeconds(30), "the blob to be stored");
        var key = layer.Digest["sha256:".Length..];
        await Eventually.Async(() => HasStoreSpan(FetcherService, "PUT") && HasStoreSpan(ApiService, "GET"), TimeSpan.FromSeconds(30), "the spans of both requests at the store");

        foreach (var secret in Fixture.Cluster.Secrets) Assert.False(Fixture.Seq.Saw(secret), $"'{secret}' was exported");

        bool HasStoreSpan(string service, string method) =>
            Fixture.Seq.SpansOf(trace).Any(s => s.Service == service && s.Source == "System.Net.Http" && s.Name == method && s.Attributes.GetValueOrDefault("url.full", "").Contains(key, StringComparison.Ordinal));
    }
}
