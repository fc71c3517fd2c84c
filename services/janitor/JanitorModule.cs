using Entrepot.Janitor.Consumers;
using Entrepot.Janitor.Sweeps;
using Entrepot.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Entrepot.Janitor;

/// <summary>Everything a process needs to host the janitor.</summary>
public static class JanitorModule
{
    /// <summary>Adds the janitor. The host provides <see cref="JanitorOptions"/>, the database, the store and, where spools lie on the same disk, <c>SpoolFolder</c>.</summary>
    public static IServiceCollection AddJanitor(this IServiceCollection services)
    {
        services.AddSingleton<JanitorMetrics>().AddSingleton<FetchSweep>().AddSingleton<OrphanSweep>();
        services.AddSingleton<EvictionSweep>().AddSingleton<IRoomMaker>(p => p.GetRequiredService<EvictionSweep>());
        return services.AddHostedService<SweepTimer>();
    }

    /// <summary>Adds the janitor's consumers to the bus.</summary>
    public static void AddJanitorConsumers(this IBusRegistrationConfigurator bus) => bus.AddConsumer<ContentAccessedConsumer>();
}
