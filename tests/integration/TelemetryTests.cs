using System.Security.Cryptography;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Telemetry;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What reaches Seq: a stand-in takes its OTLP endpoint.</summary>
public sealed class TelemetryTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Fact]
    public async Task One_trace_goes_from_the_clients_GET_through_the_queue_to_the_upstream()
    {
        await using var seq = await OtlpReceiver.StartNewAsync();
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url)
            .Set("Telemetry", new Dictionary<string, object?> { ["OtlpEndpoint"] = seq.Url, ["ApiKey"] = "seq-api-key-1234" });
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var trace = RandomNumberGenerator.GetHexString(32, lowercase: true);
        var options = new BlobReadOptions { Headers = new Dictionary<string, string> { ["traceparent"] = $"00-{trace}-{trace[..16]}-01" } };
        var layer = fixture.Little.Layers[0];
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest, options)).Digest);

        await Eventually.Async(
            () => new[] { "pull Blob", "fetch Blob", "download", "GET" }.All(name => seq.SpansOf(trace).Any(s => s.Name == name))
                && seq.LogsOf(trace).Any(l => l.Template.StartsWith("Blob {Digest} stored", StringComparison.Ordinal)),
            TimeSpan.FromSeconds(30), "the trace and the logs to arrive");
        Assert.All(seq.Keys, key => Assert.Equal("seq-api-key-1234", key));
        Assert.DoesNotContain("seq-api-key-1234", entrepot.LogText, StringComparison.Ordinal);
    }
}
