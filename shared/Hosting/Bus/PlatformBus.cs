using Entrepot.Hosting.Bus;
using MassTransit;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Entrepot.Hosting;

/// <summary>The bus: messages of <c>shared/Contracts</c> as JSON, carried in memory unless the process says otherwise.</summary>
public static class PlatformBus
{
    /// <summary>
    /// Adds the bus and its <see cref="Outbox"/>. Both start in the background: listening and readiness wait for neither. Call it before
    /// adding the services that publish: they then stop first, and what they publish last still goes out.
    /// </summary>
    /// <param name="services">The process's services; they hold a <see cref="TimeProvider"/> and meters.</param>
    /// <param name="consumers">Adds the process's consumers.</param>
    /// <param name="transport">Chooses what carries the messages, and the endpoints; in memory, each consumer with its own endpoint, by default.</param>
    public static IServiceCollection AddPlatformBus(
        this IServiceCollection services, Action<IBusRegistrationConfigurator> consumers, Action<IBusRegistrationConfigurator>? transport = null)
    {
        ArgumentNullException.ThrowIfNull(consumers);
        transport ??= static bus => bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        services.AddMassTransit(bus =>
        {
            // It would report to its makers.
            bus.DisableUsageTelemetry();
            consumers(bus);
            transport(bus);
        });
        services.RemoveMassTransitHostedService();

        // MassTransit adds health checks, and with them a service that has nothing to publish them to but builds the whole bus to find
        // out: 100 to 230 ms before the process listens, on two busy cores.
        foreach (var publisher in services.Where(IsHealthCheckPublisher).ToList())
            services.Remove(publisher);
        services.AddHostedService<BusService>();
        services.AddSingleton(p => new Outbox(p.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.AddSingleton<BusTransport>().AddSingleton<IOutboxTransport>(p => p.GetRequiredService<BusTransport>());
        return services.AddHostedService<OutboxPump>();
    }

    private static bool IsHealthCheckPublisher(ServiceDescriptor service) =>
        service.ServiceType == typeof(IHostedService) && !service.IsKeyedService && service.ImplementationType?.Assembly == typeof(HealthCheckService).Assembly;
}
