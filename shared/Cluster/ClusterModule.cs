using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Storage;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Entrepot.Cluster;

/// <summary>What every process of the cluster has: PostgreSQL, RabbitMQ and S3 where the standalone process has SQLite, memory and files.</summary>
public static class ClusterModule
{
    /// <summary>The sections of the cluster's servers.</summary>
    public static OptionsSchema AddCluster(this OptionsSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return schema.Add<DatabaseSettings>("Database", DatabaseProblems).Add<BusSettings>("Bus").Add<StoreSettings>("Store").Add<InternalSettings>("Internal");
    }

    private static IEnumerable<ConfigError> DatabaseProblems(DatabaseSettings database)
    {
        // The value may hold a password.
        if (!string.IsNullOrWhiteSpace(database.ConnectionString) && PostgresDatabase.FindProblem(database.ToConnectionString()) is { } problem)
            yield return new ConfigError("Database:ConnectionString", null, problem, "write Host=HOST;Port=5432;Database=NAME;Username=NAME, and what contains ; or = in quotes");
    }

    /// <summary>Adds database, store and bus. Nothing waits for them: each is tried until it is there.</summary>
    /// <param name="services">The process's services, with all options in them.</param>
    /// <param name="options">The options.</param>
    /// <param name="consumers">Adds the process's consumers.</param>
    /// <param name="queue">Where they receive from.</param>
    /// <param name="statementTimeout">How long a statement of this process may take.</param>
    public static IServiceCollection AddCluster(
        this IServiceCollection services, BoundOptions options, Action<IBusRegistrationConfigurator> consumers, BusQueue queue, TimeSpan statementTimeout)
    {
        ArgumentNullException.ThrowIfNull(options);
        services.AddSingleton<IDatabase>(_ => new PostgresDatabase(options.Get<DatabaseSettings>().ToConnectionString(), statementTimeout));
        services.AddSingleton<FetchQueue>().AddSingleton<Holdings>().AddSingleton<AccessStore>().AddSingleton<Retention>().AddSingleton<Uploads>();
        services.AddSingleton<SchemaReady>().AddHostedService(p => p.GetRequiredService<SchemaReady>()).AddSingleton<IReadinessPart, DatabasePart>();
        services.AddSingleton<S3BlobStore>().AddSingleton<IBlobStore>(p => p.GetRequiredService<S3BlobStore>());
        services.AddHostedService<StoreReady>().AddSingleton<IReadinessPart, StorePart>();
        return services.AddPlatformBus(consumers, bus => bus.UseRabbit(options.Get<BusSettings>(), queue));
    }
}
