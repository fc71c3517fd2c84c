using Entrepot.Hosting.Health;
using Entrepot.Hosting.Serving;
using Entrepot.Hosting.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Hosting;

/// <summary>
/// What every process of Entrepot is built on. The builder holds, before the process adds its own: all options as singletons,
/// <see cref="TimeProvider"/>, <see cref="Draining"/>, Kestrel on the configured addresses, <c>/healthz</c>, <c>/readyz</c> (register
/// <see cref="IReadinessPart"/>s) and <c>/metrics</c>, console log, OTLP when configured, and the orderly stop.
/// </summary>
public static class PlatformHost
{
    // What stops after the server, such as the outbox and the telemetry, has this long.
    private static readonly TimeSpan RestOfStop = TimeSpan.FromSeconds(10);

    /// <summary>A builder for a process that <see cref="PlatformStart.Read(string[], OptionsSchema)"/> lets go on.</summary>
    public static WebApplicationBuilder CreateBuilder(PlatformStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        return CreateBuilder(start.Options, start.ServiceName);
    }

    /// <summary>A builder over options that are bound already; they hold <see cref="PlatformOptions"/> and no errors.</summary>
    public static WebApplicationBuilder CreateBuilder(BoundOptions options, string serviceName)
    {
        ArgumentNullException.ThrowIfNull(options);
        var platform = options.Get<PlatformOptions>();

        // Empty: no other configuration is read, and nothing is made that is not asked for. Start-up time counts.
        var builder = WebApplication.CreateEmptyBuilder(new() { ApplicationName = serviceName, EnvironmentName = Environments.Production });
        var services = builder.Services;
        options.AddTo(services);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton<Draining>();
        services.AddSingleton<Readiness>();
        builder.AddPlatformTelemetry(platform, new ServiceName(serviceName));

        services.AddRoutingCore();
        services.AddSingleton<IStartupFilter, PlatformEndpointsFilter>();
        services.AddSingleton(p => new CertificateStore(platform.Tls, p.GetRequiredService<TimeProvider>(), p.GetRequiredService<ILogger<CertificateStore>>()));
        // A request is looked at on the thread that received it; only an IShortcut answers there.
        services.Configure<SocketTransportOptions>(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => KestrelSetup.Configure(kestrel, platform));
        var kestrelDescriptor = services.Last(d => d.ServiceType == typeof(IServer));
        services.Replace(ServiceDescriptor.Singleton<IServer>(p => new GraceServer(
            (IServer)(kestrelDescriptor.ImplementationFactory?.Invoke(p) ?? ActivatorUtilities.CreateInstance(p, kestrelDescriptor.ImplementationType!)),
            platform, p.GetRequiredService<Draining>(), p.GetService<IShortcut>())));
        services.AddSingleton<IHostLifetime, SignalLifetime>();
        services.Configure<HostOptions>(host => host.ShutdownTimeout = platform.ShutdownGrace + RestOfStop);
        return builder;
    }
}
