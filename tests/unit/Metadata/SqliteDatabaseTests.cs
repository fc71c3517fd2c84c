using System.Diagnostics;
using Entrepot.Metadata;
using Entrepot.Metadata.Schema;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

/// <summary>What is SQLite's alone.</summary>
public sealed class SqliteDatabaseTests : DatabaseFacts
{
    private readonly SqliteTestServer _server;

    public SqliteDatabaseTests() : this(new SqliteTestServer())
    {
    }

    private SqliteDatabaseTests(SqliteTestServer server) : base(server) => _server = server;

    [Fact]
    public async Task A_full_volume_fails_the_unit_by_its_name_and_reading_and_later_writing_go_on()
    {
        await StoreBlobAsync(1);
        var pages = await Database.WriteAsync((session, token) => session.Sql("PRAGMA page_count").FirstOrDefaultAsync(row => row.GetInt64(0), token), None);
        await SetMaxPagesAsync(pages + 2);
        var full = await Assert.ThrowsAsync<StoreFullException>(() => Database.WriteAsync((session, token) =>
            session.Sql("INSERT INTO manifests (digest, media_type, bytes, size, stored_at) VALUES ('d', 'm', zeroblob(1000000), 1, 1)").ExecuteAsync(token), None));
        Assert.Contains(_server.File, full.Message, StringComparison.Ordinal);
        Assert.Equal((1, 0), (await CountAsync("blobs"), await CountAsync("manifests")));
        await SetMaxPagesAsync(1_000_000);
        await StoreBlobAsync(2);
    }

    [Fact]
    public async Task Units_that_share_a_commit_with_one_that_finds_no_room_are_stored_all_the_same()
    {
        var pages = await Database.WriteAsync((session, token) => session.Sql("PRAGMA page_count").FirstOrDefaultAsync(row => row.GetInt64(0), token), None);
        await SetMaxPagesAsync(pages + 2);
        var units = Enumerable.Range(0, 30).Select(i => Task.Run(() => Database.WriteAsync((session, token) => session.Sql(
            $"INSERT INTO manifests (digest, media_type, bytes, size, stored_at) VALUES ('d{i}', 'm', zeroblob({(i % 5 == 4 ? 500_000 : 10)}), 1, 1)").ExecuteAsync(token), None))).ToArray();
        await Task.WhenAll(units.Select(u => u.ContinueWith(_ => { }, TaskScheduler.Default)));
        Assert.All(units.Where(u => u.IsFaulted), u => Assert.IsType<StoreFullException>(u.Exception!.InnerException));
        Assert.Equal((24, 6), (units.Count(u => u.IsCompletedSuccessfully), units.Count(u => u.IsFaulted)));
        Assert.Equal(24, await CountAsync("manifests"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_opened_is_said_to_be_unavailable()
    {
        await using var database = new SqliteDatabase(Path.Combine(_server.File, "under-a-file", "cache.db"));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => database.MigrateAsync(None));
        await using var absent = new SqliteDatabase(Path.Combine(Path.GetDirectoryName(_server.File)!, "absent.db"));
        await Assert.ThrowsAsync<DatabaseUnavailableException>(() => absent.ReadAsync((session, token) => session.Sql("SELECT 1").FirstOrDefaultAsync(row => row.GetInt64(0), token), None));
    }

    [Fact]
    public async Task Rows_survive_a_reopened_file()
    {
        await StoreBlobAsync(1);
        await using var again = new SqliteDatabase(_server.File);
        await again.MigrateAsync(None);
        Assert.True(await new Holdings(again).IsHeldAsync(Digest(1), None));
    }

    [Fact]
    public async Task A_read_on_the_path_of_a_miss_is_quick()
    {
        await StoreManifestAsync(Manifest(9, Layer(1), Layer(2)), "latest");
        await StoreBlobAsync(1);
        const int reads = 2000;
        for (var i = 0; i < 200; i++) await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < reads; i++) await Holdings.FindBlobAsync(Hub, Nginx, Digest(1), None);
        var each = Stopwatch.GetElapsedTime(started) / reads;
        // Below 0.05 ms on an idle machine.
        Assert.True(each < TimeSpan.FromMilliseconds(1), $"{each.TotalMilliseconds:F3} ms");
    }

    [Fact]
    public async Task A_new_file_gets_exactly_the_schema_of_the_migrations()
    {
        await using var context = new SqliteCacheDb(new DbContextOptionsBuilder<SqliteCacheDb>().UseSqlite($"Data Source={_server.File}").Options);
        Assert.False(context.Database.HasPendingModelChanges(), "the model has changed: make a migration");
        Assert.Empty(await context.Database.GetPendingMigrationsAsync());
        Assert.Equal(SqliteDatabase.NewestMigration, context.Database.GetMigrations().Last());
        using var script = new StreamReader(typeof(SqliteDatabase).Assembly.GetManifestResourceStream("sqlite.sql")!);
        Assert.Equal(context.GetService<IMigrator>().GenerateScript().ReplaceLineEndings(), (await script.ReadToEndAsync()).ReplaceLineEndings());
    }

    [Fact]
    public async Task A_file_whose_first_start_was_cut_off_is_migrated_at_the_next()
    {
        var file = Path.Combine(Path.GetDirectoryName(_server.File)!, "cut.db");
        await using var database = new SqliteDatabase(file);
        await database.WriteAsync((session, token) => session.Sql("CREATE TABLE \"__EFMigrationsHistory\" (\"MigrationId\" TEXT NOT NULL PRIMARY KEY, \"ProductVersion\" TEXT NOT NULL)").ExecuteAsync(token), None);
        await database.MigrateAsync(None);
        Assert.True((await new FetchQueue(database).JoinAsync(Blob(1), None)).Inserted);
        Assert.Equal(1, (await new FetchQueue(database).ClaimAsync(By("f"), None))!.Fence);
    }

    private Task<long> SetMaxPagesAsync(long pages) =>
        Database.WriteAsync((session, token) => session.Sql($"PRAGMA max_page_count = {pages}").FirstOrDefaultAsync(row => row.GetInt64(0), token), None);
}
