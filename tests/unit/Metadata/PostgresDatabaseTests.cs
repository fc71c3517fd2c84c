using Entrepot.Metadata;
using Entrepot.Metadata.Schema;
using Entrepot.TestSupport.Running;
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
    public async Task A_transaction_whose_process_stands_still_is_rolled_back_and_gone_on_with_by_another_try()
    {
        var tries = 0;
        await Database.WriteAsync(async (session, token) =>
        {
            await session.Sql("INSERT INTO accesses (digest, last_at, count) VALUES ('d', 1, 1)").ExecuteAsync(token);
            // Idle until the server has had enough: it says so in its list of sessions.
            if (tries++ == 0)
            {
                var mine = await session.Sql("SELECT pg_backend_pid()").FirstOrDefaultAsync(row => row.GetInt32(0), token);
                await Eventually.Async(async () => await Database.ReadAsync((other, stop) => other.Sql($"SELECT count(*) FROM pg_stat_activity WHERE pid = {mine}").FirstOrDefaultAsync(row => row.GetInt64(0), stop), None) == 0,
                    TimeSpan.FromSeconds(20), "the server to end the session", token);
            }
            return await session.Sql("SELECT 1").FirstOrDefaultAsync(row => row.GetInt32(0), token);
        }, None);
        Assert.Equal((2, 1), (tries, await CountAsync("accesses")));
    }

    [Fact]
    public async Task A_host_that_is_lost_is_noticed_unless_the_connection_string_says_otherwise()
    {
        Assert.Equal(("5s", "10"), await LimitsAsync(""));
        Assert.Equal(("7s", "11"), await LimitsAsync(";Options=-c idle_in_transaction_session_timeout=7000 -c tcp_keepalives_idle=11"));
        Assert.Equal("0", (await LimitsAsync(";Options=''")).Idle);

        async Task<(string Idle, string Tcp)> LimitsAsync(string more)
        {
            await using var database = new PostgresDatabase(server.Server.ConnectionString("postgres") + more);
            return await database.ReadAsync((session, token) => session.Sql("SELECT current_setting('idle_in_transaction_session_timeout'), current_setting('tcp_keepalives_idle')")
                .FirstOrDefaultAsync(row => (row.GetString(0), row.GetString(1)), token), None);
        }
    }

    [Theory]
    [InlineData("Hots=db;Username=u", "Hots")]
    [InlineData("Host=db;Password=ab;Secret1=x", "quotes")]
    [InlineData("Host=db;Port=x;Username=u", "Port")]
    [InlineData("Host=db;Port=-1", "Port")]
    [InlineData("Host=db;SSL Mode=Sometimes", "SSL Mode")]
    [InlineData("Host=db;Username", "NAME=VALUE")]
    [InlineData("Username=u;Password=p", "Host=")]
    public void A_connection_string_that_cannot_work_is_said_to_before_anything_is_tried(string text, string named) =>
        Assert.Contains(named, PostgresDatabase.FindProblem(text), StringComparison.OrdinalIgnoreCase);

    [Fact]
    public void A_piece_of_a_password_is_not_shown() => Assert.DoesNotContain("secret1", PostgresDatabase.FindProblem("Host=db;Password=ab;Secret1=x"), StringComparison.OrdinalIgnoreCase);

    [Theory]
    [InlineData("Host=db;Username=u;Password='a;b=c';GSS Encryption Mode=Disable")]
    [InlineData("Server=db;Options=''")]
    public void A_connection_string_that_can_be_tried_is_taken(string text) => Assert.Null(PostgresDatabase.FindProblem(text));

    [Fact]
    public async Task A_migration_may_take_longer_than_a_statement()
    {
        var name = await server.Server.CreateDatabaseAsync();
        await using var other = new PostgresDatabase(server.Server.ConnectionString(name));
        await using var database = new PostgresDatabase(server.Server.ConnectionString(name), TimeSpan.FromSeconds(1));
        // Whoever migrates waits for this lock as it would for a large table.
        var migration = other.WriteAsync(async (session, token) =>
        {
            await session.Sql("SELECT pg_advisory_xact_lock(x'656E747265706F74'::bigint)").FirstOrDefaultAsync(_ => 0, token);
            var waiting = Task.Run(() => database.MigrateAsync(None), token);
            await session.Sql("SELECT pg_sleep(2)").FirstOrDefaultAsync(_ => 0, token);
            return waiting;
        }, None);
        await await migration;
        await new FetchQueue(database).JoinAsync(Blob(1), None);
    }

    [Fact]
    public async Task A_pool_never_holds_more_than_twenty_connections()
    {
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => Task.Run(() => JoinAsync(Blob(i)))));
        Assert.InRange(await Database.ReadAsync((session, token) =>
            session.Sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()").FirstOrDefaultAsync(row => row.GetInt64(0), token), None), 1, 20);
    }
}
