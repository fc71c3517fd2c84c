using Entrepot.Hosting.Bus;
using MassTransit;

namespace Entrepot.Hosting;

/// <summary>The bus: messages of <c>shared/Contracts</c> as JSON. Which transport carries them is decided in this file alone.</summary>
public static class PlatformBus
{
    /// <summary>
    /// Adds the bus and its <see cref="Outbox"/>. Both start in the background: listening and readiness wait for neither. Call it before
    /// adding the services that publish: they then stop first, and what they publish last still goes out.
    /// </summary>
    /// <param name="services">The process's services; they hold a <see cref="TimeProvider"/> and meters.</param>
    /// <param name="consumers">Adds the process's consumers; each gets its endpoint by convention.</param>
    public static IServiceCollection AddPlatformBus(this IServiceCollection services, Action<IBusRegistrationConfigurator> consumers)
    {
        ArgumentNullException.ThrowIfNull(consumers);
        services.AddMassTransit(bus =>
        {
            // It would report to its makers.
            bus.DisableUsageTelemetry();
            consumers(bus);
            bus.UsingInMemory((context, transport) => transport.ConfigureEndpoints(context));
        });
        services.RemoveMassTransitHostedService();
        services.AddHostedService<BusService>();
        services.AddSingleton(p => new Outbox(p.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>()));
        services.AddSingleton<IOutboxTransport, BusTransport>();
        return services.AddHostedService<OutboxPump>();
    }
}
