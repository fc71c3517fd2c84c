using System.Diagnostics;
using Entrepot.Metadata;
using Xunit;

namespace Entrepot.UnitTests.Metadata;

public sealed class DatabaseWorkOnSqlite() : DatabaseWorkFacts(new SqliteTestServer());

[Collection(PostgresCollection.Name)]
public sealed class DatabaseWorkOnPostgres(PostgresTestServer server) : DatabaseWorkFacts(server);

/// <summary>What every database promises of its units of work.</summary>
public abstract class DatabaseWorkFacts(ITestServer server) : DatabaseFacts(server)
{
    [Fact]
    public async Task A_failing_unit_rolls_back_alone()
    {
        var units = Enumerable.Range(0, 60).Select(i => Task.Run(() => Database.WriteAsync(async (session, token) =>
        {
            await InsertAsync(session, $"d{i}", token);
            return i % 3 == 0 ? throw new InvalidOperationException($"unit {i}") : i;
        }, None))).ToArray();
        for (var i = 0; i < units.Length; i++)
        {
            var unit = units[i];
            if (i % 3 == 0) Assert.Equal($"unit {i}", (await Assert.ThrowsAsync<InvalidOperationException>(() => unit)).Message);
            else Assert.Equal(i, await unit);
        }
        Assert.Equal(40, await CountAsync("accesses"));
    }

    [Fact]
    public async Task A_constraint_broken_by_one_unit_does_not_harm_its_neighbours()
    {
        var units = Enumerable.Range(0, 20).Select(i => Task.Run(() => Database.WriteAsync((session, token) => InsertAsync(session, $"d{i / 2}", token), None))).ToArray();
        await Task.WhenAll(units.Select(u => u.ContinueWith(_ => { }, TaskScheduler.Default)));
        Assert.Equal((10, 10), (units.Count(u => u.IsCompletedSuccessfully), units.Count(u => u.IsFaulted)));
        Assert.Equal(10, await CountAsync("accesses"));
    }

    [Fact]
    public async Task A_discarded_unit_changes_nothing_and_still_answers()
    {
        Assert.Equal(7, await Database.WriteAsync(async (session, token) =>
        {
            await InsertAsync(session, "d", token);
            session.Discard();
            return 7;
        }, None));
        Assert.Equal(0, await CountAsync("accesses"));
        await Database.WriteAsync((session, token) => InsertAsync(session, "d", token), None);
        Assert.Equal(1, await CountAsync("accesses"));
    }

    [Fact]
    public async Task A_cancelled_caller_leaves_and_the_database_goes_on()
    {
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Database.WriteAsync((session, token) => InsertAsync(session, "d", token), cancelled.Token));
        await Database.WriteAsync((session, token) => InsertAsync(session, "e", token), None);
        Assert.Equal(1, await CountAsync("accesses"));
    }

    [Fact]
    public async Task The_clock_is_the_databases_and_tests_may_move_it()
    {
        var real = DateTimeOffset.UtcNow;
        var now = await ReadNowAsync();
        Assert.InRange(now, real.AddSeconds(-2), real.AddSeconds(5));
        Advance(3600);
        Assert.InRange(await ReadNowAsync() - now, TimeSpan.FromSeconds(3599), TimeSpan.FromSeconds(3610));

        async Task<DateTimeOffset> ReadNowAsync() => DateTimeOffset.FromUnixTimeMilliseconds(
            await Database.ReadAsync((session, token) => session.Sql($"SELECT {Database.Dialect.Now}").FirstOrDefaultAsync(row => row.GetInt64(0), token), None));
    }

    [Fact]
    public async Task Migrating_again_does_nothing()
    {
        await StoreBlobAsync(1);
        await Database.MigrateAsync(None);
        Assert.Equal(1, await CountAsync("blobs"));
    }

    [Fact]
    public async Task Many_small_units_are_written_per_second()
    {
        const int units = 2000;
        // SQLite's group commit makes more than 10 000 on an idle machine; PostgreSQL is bounded by its round trips.
        var least = Database is SqliteDatabase ? 1000 : 300;
        await Database.WriteAsync((session, token) => InsertAsync(session, "warm", token), None);
        // The best of three: a disk that has much else to write spoils one.
        var perSecond = 0.0;
        for (var round = 0; round < 3 && perSecond <= least; round++)
        {
            var started = Stopwatch.GetTimestamp();
            await Task.WhenAll(Enumerable.Range(0, 32).Select(n => Task.Run(async () =>
            {
                for (var i = n; i < units; i += 32) await Database.WriteAsync((session, token) => InsertAsync(session, $"d{round}.{i}", token), None);
            })));
            perSecond = Math.Max(perSecond, units / Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        Assert.True(perSecond > least, $"{perSecond:F0} units/s");
    }

    protected static Task<int> InsertAsync(DbSession session, string digest, CancellationToken cancellationToken) =>
        session.Sql("INSERT INTO accesses (digest, last_at, count) VALUES (@digest, 0, 0)").With("digest", digest).ExecuteAsync(cancellationToken);
}
