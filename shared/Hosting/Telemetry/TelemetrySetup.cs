using Entrepot.Hosting.Metrics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Console;
using OpenTelemetry.Logs;

namespace Entrepot.Hosting.Telemetry;

/// <summary>Console log, metrics, and with an endpoint logs and traces by OTLP.</summary>
internal static class TelemetrySetup
{
    // Says where Kestrel listens.
    private const string ListeningCategory = "Microsoft.Hosting.Lifetime";

    public static void AddPlatformTelemetry(this IHostApplicationBuilder builder, PlatformOptions options, ServiceName service)
    {
        builder.Services.AddMetrics();
        builder.Services.AddSingleton<MetricsRegistry>();
        builder.Services.AddHostedService(p => new TelemetryService(p.GetRequiredService<MetricsRegistry>(), options.Telemetry, service));
        AddConsole(builder, options.Log);
        if (options.Telemetry.OtlpEndpoint is null)
            return;

        // The message template goes out as it is, with its properties beside it: that is what Seq groups by.
        builder.Logging.AddOpenTelemetry(logs =>
        {
            logs.SetResourceBuilder(TelemetryService.Resource(options.Telemetry, service));
            logs.IncludeScopes = true;
            logs.ParseStateValues = true;
            logs.IncludeFormattedMessage = false;
            logs.AddOtlpExporter(o => TelemetryService.Export(o, options.Telemetry, "logs"));
        });
    }

    private static void AddConsole(IHostApplicationBuilder builder, LogOptions options)
    {
        builder.Logging.SetMinimumLevel(options.FrameworkLevel);
        builder.Logging.AddFilter("Entrepot", options.Level);
        builder.Logging.AddFilter(ListeningCategory, options.Level);
        // What keeps a process from starting is said once, by its Program, without a stack trace.
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);
        builder.Logging.AddConsole(console =>
        {
            console.FormatterName = options.Format == LogFormat.Json ? LogJson.FormatterName : LogLine.FormatterName;

            // Whoever logs never waits for whoever reads; what is lost is counted in the log itself.
            console.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
        var colours = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        builder.Services.AddSingleton<ConsoleFormatter>(p => new LogLine(p.GetRequiredService<TimeProvider>(), colours));
        builder.Services.AddSingleton<ConsoleFormatter>(p => new LogJson(p.GetRequiredService<TimeProvider>()));
    }
}
