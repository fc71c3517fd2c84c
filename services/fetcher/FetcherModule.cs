using Entrepot.Fetcher.Consumers;
using Entrepot.Fetcher.Work;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Entrepot.Fetcher;

/// <summary>Everything a process needs to host the fetcher.</summary>
public static class FetcherModule
{
    /// <summary>
    /// Adds the fetcher. The host provides <see cref="FetcherOptions"/>, <see cref="FetcherIdentity"/>, the catalogue, the database,
    /// the store, <c>SpoolFolder</c>, <c>LiveSpools</c> and the outbox.
    /// </summary>
    public static IServiceCollection AddFetcher(this IServiceCollection services)
    {
        services.AddSingleton<FetcherMetrics>().AddSingleton<Doorbell>().AddSingleton<Announcer>().AddSingleton<SpoolRoom>();
        services.AddSingleton<BlobDownload>().AddSingleton<ManifestDownload>().AddSingleton<SmallFetch>().AddSingleton<HeldList>();
        services.AddSingleton<IFetchWork, BlobFetch>().AddSingleton<IFetchWork, ManifestFetch>();
        services.AddSingleton<IFetchWork, TagFetch>().AddSingleton<IFetchWork, LinkFetch>();
        services.AddSingleton<IFetchWork, TagListFetch>().AddSingleton<IFetchWork, ReferrersFetch>();
        services.AddSingleton<LeaseKeeper>().AddHostedService(p => p.GetRequiredService<LeaseKeeper>());
        return services.AddHostedService<FetchPool>();
    }

    /// <summary>Adds the fetcher's consumers to the bus.</summary>
    public static void AddFetcherConsumers(this IBusRegistrationConfigurator bus) => bus.AddConsumer<FetchRequestedConsumer>();
}
