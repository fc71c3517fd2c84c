using Entrepot.Contracts;
using Entrepot.Fetcher.Consumers;
using Entrepot.Fetcher.Endpoints;
using Entrepot.Fetcher.Work;
using Entrepot.Hosting;
using Entrepot.Storage;
using MassTransit;
using Microsoft.AspNetCore.Builder;
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

    /// <summary>Lets api replicas in other processes read the running downloads. The host provides the shared token.</summary>
    public static void MapFetcher(this WebApplication app)
    {
        var content = ActivatorUtilities.CreateInstance<ContentEndpoint>(app.Services);
        app.Use((http, next) => http.Request.Path.Value!.StartsWith(InternalRoutes.Prefix, StringComparison.Ordinal) ? content.HandleAsync(http) : next(http));
    }

    /// <summary>Adds the fetcher's consumers to the bus.</summary>
    public static void AddFetcherConsumers(this IBusRegistrationConfigurator bus) => bus.AddConsumer<FetchRequestedConsumer>();
}
