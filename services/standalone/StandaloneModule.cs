using Entrepot.Api;
using Entrepot.Fetcher;
using Entrepot.Hosting;
using Entrepot.Janitor;
using Entrepot.Metadata;
using Entrepot.Storage;
using Entrepot.Upstreams;

namespace Entrepot.Standalone;

/// <summary>The three services in one process: in-memory bus, SQLite, local files. What differs from the cluster is in this file.</summary>
internal static class StandaloneModule
{
    /// <summary>Every key of <c>entrepot.json</c>.</summary>
    public static OptionsSchema Schema() => new OptionsSchema()
        .Add<PlatformOptions>("").Add<UpstreamSettings>("", s => s.Problems().Select(p => new ConfigError(p.Key, p.Value, p.Problem, p.Fix)))
        .Add<ApiOptions>("Api").Add<FetcherOptions>("Fetcher").Add<JanitorOptions>("Janitor")
        .AddForOthers<DatabaseSettings>("Database").AddForOthers<BusSettings>("Bus").AddForOthers<StoreSettings>("Store").AddForOthers<InternalSettings>("Internal");

    public static void AddStandalone(this IServiceCollection services, DataFolder data, UpstreamSettings upstreams)
    {
        // Bytes and facts.
        services.AddSingleton(data);
        services.AddSingleton<IDatabase>(_ => new SqliteDatabase(data.PathOf("entrepot.db")));
        services.AddSingleton<FetchQueue>().AddSingleton<Holdings>().AddSingleton<AccessStore>().AddSingleton<Retention>();
        services.AddSingleton<IBlobStore>(_ => new FileBlobStore(data.PathOf("blobs")));
        services.AddSingleton(p => new SpoolFolder(data.PathOf("spool"), p.GetRequiredService<TimeProvider>()));
        services.AddSingleton<LiveSpools>().AddSingleton<ILiveFetches>(p => p.GetRequiredService<LiveSpools>());

        // Registries. The fetcher alone holds the client, and with it the credentials.
        services.AddSingleton(upstreams.ToCatalog());
        services.AddSingleton<UpstreamClient>();
        services.AddSingleton(FetcherIdentity.Embedded());

        services.AddPlatformBus(bus =>
        {
            bus.AddApiConsumers();
            bus.AddFetcherConsumers();
            bus.AddJanitorConsumers();
        });
        services.AddSingleton<IReadinessPart, DatabasePart>();
        services.AddApi().AddFetcher().AddJanitor();
    }
}
