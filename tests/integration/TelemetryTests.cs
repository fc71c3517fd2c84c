using System.Collections.Concurrent;
using System.Security.Cryptography;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What reaches Seq: a stand-in takes its OTLP endpoint.</summary>
[Collection(RegistryCollection.Name)]
public sealed class TelemetryTests(RegistryFixture fixture)
{
    [Fact]
    public async Task One_trace_goes_from_the_clients_GET_through_the_queue_to_the_upstream()
    {
        var received = new ConcurrentQueue<(string Path, string? Key, byte[] Body)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        await using var seq = builder.Build();
        seq.MapPost("/ingest/otlp/v1/{signal}", async (HttpContext http) =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            received.Enqueue((http.Request.Path.Value!, http.Request.Headers["X-Seq-ApiKey"], body.ToArray()));
            return Results.Ok();
        });
        await seq.StartAsync();

        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(upstream.Url)
            .Set("Telemetry", new Dictionary<string, object?> { ["OtlpEndpoint"] = seq.Urls.First(), ["ApiKey"] = "seq-api-key-1234" });
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var trace = RandomNumberGenerator.GetBytes(16);
        var options = new BlobReadOptions { Headers = new Dictionary<string, string> { ["traceparent"] = $"00-{Convert.ToHexStringLower(trace)}-{Convert.ToHexStringLower(trace[..8])}-01" } };
        var layer = fixture.Little.Layers[0];
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest, options)).Digest);

        // Protobuf holds texts and ids as they are: the same trace id stands in the server's, the fetch's and the upstream request's span.
        await Eventually.Async(() =>
        {
            var traces = received.Where(r => r.Path.EndsWith("/traces", StringComparison.Ordinal)).Select(r => r.Body).ToArray();
            return traces.Sum(body => Count(body, trace)) >= 3
                && traces.Any(body => Count(body, "fetch Blob"u8) > 0)
                && received.Any(r => r.Path.EndsWith("/logs", StringComparison.Ordinal) && Count(r.Body, "stored: {SizeBytes} bytes"u8) > 0);
        }, TimeSpan.FromSeconds(30), "the trace and the logs to arrive");
        Assert.All(received, r => Assert.Equal("seq-api-key-1234", r.Key));
        Assert.DoesNotContain("seq-api-key-1234", entrepot.LogText, StringComparison.Ordinal);
    }

    private static int Count(ReadOnlySpan<byte> body, ReadOnlySpan<byte> sought)
    {
        var count = 0;
        for (var at = body.IndexOf(sought); at >= 0; at = body.IndexOf(sought))
        {
            count++;
            body = body[(at + sought.Length)..];
        }
        return count;
    }
}
