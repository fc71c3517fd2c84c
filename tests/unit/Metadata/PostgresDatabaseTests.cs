using Entrepot.Metadata;
using Entrepot.Metadata.Schema;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

/// <summary>What is PostgreSQL's alone.</summary>
[Collection(PostgresCollection.Name)]
public sealed class PostgresDatabaseTests(PostgresTestServer server) : DatabaseFacts(server)
{
    [Fact]
    public async Task A_server_that_is_not_there_is_said_to_be_unavailable()
    {
        await using var database = new PostgresDatabase("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2");
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => new FetchQueue(database).JoinAsync(Blob(1), None));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.MigrateAsync(None));
    }

    [Fact]
    public async Task Connections_cut_while_they_slept_in_the_pool_are_not_noticed()
    {
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => JoinAsync(Blob(i))));
        await using var other = new PostgresDatabase(server.Server.ConnectionString("postgres"));
        await other.ReadAsync((session, token) => session.Sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname LIKE 'test_%'")
            .FirstOrDefaultAsync(row => row.GetInt64(0), token), None);
        Assert.Equal(5, (await Queue.MeasureAsync(None)).Sum(l => l.Count));
        await JoinAsync(Blob(9));
    }

    [Fact]
    public async Task Three_processes_that_start_at_once_migrate_once()
    {
        var name = await server.Server.CreateDatabaseAsync();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            await using var database = new PostgresDatabase(server.Server.ConnectionString(name));
            await database.MigrateAsync(None);
            await new FetchQueue(database).JoinAsync(Blob(1), None);
        })));
    }

    [Fact]
    public async Task The_schema_is_that_of_the_model()
    {
        await using var context = new PostgresCacheDb(new DbContextOptionsBuilder<PostgresCacheDb>().UseNpgsql("Host=127.0.0.1").Options);
        Assert.False(context.Database.HasPendingModelChanges(), "the model has changed: make a migration");
        Assert.Equal(PostgresDatabase.NewestMigration, context.Database.GetMigrations().Last());
    }

    [Fact]
    public async Task A_pool_never_holds_more_than_twenty_connections()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => JoinAsync(Blob(i)))));
        Assert.InRange(await Database.ReadAsync((session, token) =>
            session.Sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").FirstOrDefaultAsync(row => row.GetInt64(0), token), None), 1, 20);
    }
}
