using Entrepot.Api.Access;
using Entrepot.Api.Consumers;
using Entrepot.Api.Endpoints;
using Entrepot.Api.Index;
using Entrepot.Api.Pull;
using Entrepot.Hosting;
using Entrepot.Upstreams;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Entrepot.Api;

/// <summary>Everything a process needs to host the api.</summary>
public static class ApiModule
{
    /// <summary>
    /// Adds the api. The host provides <see cref="ApiOptions"/>, the catalogue, the database, the store, <c>ILiveFetches</c> and the outbox.
    /// </summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.AddSingleton<ApiMetrics>().AddSingleton<ContentIndex>().AddSingleton<DocumentIndex>().AddSingleton<FetchGate>().AddSingleton<SilentUpstreams>().AddSingleton<TagFreshness>();
        services.AddSingleton<ClientAddresses>().AddSingleton<Redirects>();
        services.AddSingleton<BlobLocators>().AddSingleton<BodyLoop>().AddSingleton<PullManifest>().AddSingleton<PullBlob>()
            .AddSingleton<PullDocument>().AddSingleton<PullTagList>().AddSingleton<PullReferrers>().AddSingleton<ListCatalog>().AddSingleton<OciEndpoints>();
        services.AddSingleton<HotAnswers>().AddSingleton<IShortcut>(p => p.GetRequiredService<HotAnswers>());
        AddBackground<IndexRefresher>(services);
        AddBackground<FetchWaits>(services);
        AddBackground<AccessRecorder>(services);
        AddBackground<Prefetch>(services);
        AddBackground<QueueMeter>(services);
        return services;
    }

    /// <summary>Adds the api's consumers to the bus.</summary>
    public static void AddApiConsumers(this IBusRegistrationConfigurator bus)
    {
        bus.AddConsumer<FetchStartedConsumer>();
        bus.AddConsumer<FetchFinishedConsumer>();
    }

    /// <summary>Answers everything below <c>/v2</c>, and says once it listens whom that exposes.</summary>
    public static void MapApi(this WebApplication app)
    {
        var (platform, catalog) = (app.Services.GetRequiredService<PlatformOptions>(), app.Services.GetRequiredService<UpstreamCatalog>());
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            foreach (var warning in Exposure.Warnings(platform.ListenAddresses(), catalog)) app.Logger.UpstreamExposed(warning);
        });
        var endpoints = app.Services.GetRequiredService<OciEndpoints>();
        app.Use((http, next) => OciEndpoints.IsOurs(http) ? endpoints.HandleAsync(http) : next(http));
    }

    private static void AddBackground<T>(IServiceCollection services)
        where T : class, Microsoft.Extensions.Hosting.IHostedService =>
        services.AddSingleton<T>().AddHostedService(p => p.GetRequiredService<T>());
}
