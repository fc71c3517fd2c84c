using Entrepot.Metadata;
using Entrepot.TestSupport.Postgres;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

/// <summary>Where a suite's database comes from: each fact gets a new one.</summary>
public interface ITestServer
{
    Task<IDatabase> CreateAsync();

    Task DropAsync();
}

public sealed class SqliteTestServer : ITestServer
{
    private readonly string _folder = Directory.CreateTempSubdirectory("entrepot-metadata-").FullName;

    public string File => Path.Combine(_folder, "data", "cache.db");

    public async Task<IDatabase> CreateAsync()
    {
        var database = new SqliteDatabase(File);
        await database.MigrateAsync(CancellationToken.None);
        return database;
    }

    public Task DropAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return Task.CompletedTask;
    }
}

/// <summary>One PostgreSQL for the run, with a migrated database that each fact gets a copy of.</summary>
public sealed class PostgresTestServer : ITestServer, IAsyncLifetime
{
    private string _template = "";

    public TempPostgres Server { get; } = new();

    public async Task InitializeAsync()
    {
        await Server.InitializeAsync();
        _template = await Server.CreateDatabaseAsync();
        await using var database = new PostgresDatabase(Server.ConnectionString(_template));
        await database.MigrateAsync(CancellationToken.None);
    }

    public Task DisposeAsync() => Server.DisposeAsync();

    public async Task<IDatabase> CreateAsync() => new PostgresDatabase(Server.ConnectionString(await Server.CreateDatabaseAsync(_template)));

    public Task DropAsync() => Task.CompletedTask;
}

[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresTestServer>
{
    public const string Name = "PostgreSQL";
}
