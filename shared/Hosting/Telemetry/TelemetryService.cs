using Entrepot.Hosting.Metrics;
using Microsoft.Extensions.Hosting;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Entrepot.Hosting.Telemetry;

/// <summary>Measures and traces while the host runs. Registered first: it begins before, and ends after, everything that it tells of.</summary>
internal sealed class TelemetryService(MetricsRegistry metrics, TelemetryOptions options, ServiceName service) : IHostedService, IDisposable
{
    private static readonly TimeSpan ExportLimit = TimeSpan.FromSeconds(3);

    private TracerProvider? _traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        metrics.Start();
        if (options.OtlpEndpoint is not null)
        {
            _traces = Sdk.CreateTracerProviderBuilder()
                .SetResourceBuilder(Resource(options, service))
                .AddSource("Microsoft.AspNetCore", "System.Net.Http", "MassTransit", "Npgsql", "Entrepot.*")
                .SetSampler(new UpkeepSampler())
                .AddProcessor(new HitSampler(options.HitSampling))
                .AddOtlpExporter(o => Export(o, options, "traces"))
                .Build();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.Run(() => _traces?.Shutdown((int)ExportLimit.TotalMilliseconds), CancellationToken.None);

    public void Dispose() => _traces?.Dispose();

    /// <summary>Who speaks.</summary>
    public static ResourceBuilder Resource(TelemetryOptions options, ServiceName service) => ResourceBuilder.CreateEmpty().AddService(
        options.ServiceName ?? service.Value, serviceVersion: PlatformStart.Version, serviceInstanceId: options.ServiceInstance ?? Environment.MachineName);

    /// <summary>Where to: Seq's own paths, which must be whole when they are set in code.</summary>
    public static void Export(OtlpExporterOptions exporter, TelemetryOptions options, string signal)
    {
        exporter.Endpoint = new Uri($"{options.OtlpEndpoint!.AbsoluteUri.TrimEnd('/')}/ingest/otlp/v1/{signal}");
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.TimeoutMilliseconds = (int)ExportLimit.TotalMilliseconds;

        // Not by its Headers option, which is one text that cannot hold a key with a comma.
        exporter.HttpClientFactory = () =>
        {
            var client = new HttpClient { Timeout = ExportLimit };
            if (options.ApiKey is { Length: > 0 } key)
                client.DefaultRequestHeaders.TryAddWithoutValidation("X-Seq-ApiKey", key);
            return client;
        };
    }
}
