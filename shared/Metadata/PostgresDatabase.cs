using System.Data;
using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using Entrepot.Metadata.Schema;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Entrepot.Metadata;

/// <summary>The cluster's database: PostgreSQL 13 or later, READ COMMITTED, at most 20 connections of this process.</summary>
public sealed class PostgresDatabase : IDatabase
{
    /// <summary>The id of the last migration in Migrations/Postgres (see <see cref="SqliteDatabase.NewestMigration"/>).</summary>
    internal const string NewestMigration = "20261121192523_Uploads";

    private const long MigrationLock = 0x656E_7472_6570_6F74; // "entrepot"
    private const int MaxConnections = 20;
    private const string IdleInTransaction = "25P03"; // idle_in_transaction_session_timeout: Npgsql has no name for it.
    private const int MaxAttempts = 3;
    private static readonly string[] PasswordNames = ["Password", "PWD", "PSW"];
    private const int TcpIdleSeconds = 10, TcpProbeSeconds = 5;
    private static readonly TimeSpan MigrationLimit = TimeSpan.FromMinutes(30);

    // The server's side of a host that is lost: its open transaction holds rows that others wait for.
    private static readonly string LostHost = string.Create(
        CultureInfo.InvariantCulture, $"-c idle_in_transaction_session_timeout=5000 -c tcp_keepalives_idle={TcpIdleSeconds} -c tcp_keepalives_interval={TcpProbeSeconds} -c tcp_keepalives_count=3");

    private readonly NpgsqlDataSource _source;

    /// <param name="connectionString">Npgsql's; what it leaves out gets defaults fit for this work.</param>
    /// <param name="commandTimeout">How long a statement may take; then the database counts as away.</param>
    public PostgresDatabase(string connectionString, TimeSpan? commandTimeout = null)
    {
        var settings = Defaults();
        settings.CommandTimeout = (int)(commandTimeout ?? TimeSpan.FromSeconds(15)).TotalSeconds;
        var given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        foreach (string key in given.Keys) settings[key] = given[key];
        // Given as '', for what stands between and refuses them.
        if (settings.Options?.Trim().Length == 0) settings.Options = null;
        settings.MaxPoolSize = Math.Min(settings.MaxPoolSize, MaxConnections);
        _source = NpgsqlDataSource.Create(settings);
    }

    /// <summary>What is wrong with a connection string, in words that follow its name and show no value of it; null when it can be tried.</summary>
    public static string? FindProblem(string connectionString)
    {
        DbConnectionStringBuilder given;
        try
        {
            given = new DbConnectionStringBuilder { ConnectionString = connectionString };
        }
        catch (ArgumentException)
        {
            return "is no list of NAME=VALUE with semicolons between them";
        }
        var settings = new NpgsqlConnectionStringBuilder();
        foreach (string key in given.Keys)
        {
            try
            {
                settings[key] = given[key];
            }
            catch (Exception e) when (e is ArgumentException or FormatException or InvalidCastException or OverflowException)
            {
                if (settings.ContainsKey(key)) return $"has a {key}= whose value Npgsql cannot read";
                // What is no name of Npgsql's may be a piece of the password.
                return given.Keys.Cast<string>().Any(one => PasswordNames.Contains(one, StringComparer.OrdinalIgnoreCase))
                    ? "has a part whose name Npgsql does not know; a password with a semicolon or an equals sign stands between quotes"
                    : $"has a part {key}= that Npgsql does not know";
            }
        }
        return string.IsNullOrWhiteSpace(settings.Host) ? "has no Host=" : null;
    }

    private static NpgsqlConnectionStringBuilder Defaults() => new()
    {
        ApplicationName = "entrepot",
        Timeout = 3,
        // A server that did not answer in time does not confirm a cancellation either.
        CancellationTimeout = -1,
        // Nothing of a session is ever changed here, and setting it back costs half a dozen statements each time.
        NoResetOnClose = true,
        MaxAutoPrepare = 100,
        AutoPrepareMinUsages = 2,
        Options = LostHost,
        TcpKeepAlive = true,
        TcpKeepAliveTime = TcpIdleSeconds,
        TcpKeepAliveInterval = TcpProbeSeconds,
    };

    /// <inheritdoc />
    public SqlDialect Dialect { get; } = SqlDialect.Postgres();

    /// <inheritdoc />
    public Task<T> WriteAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(async (connection, progress) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.ReadCommitted, cancellationToken);
            var session = new DbSession(connection, transaction, Dialect, cacheCommands: false);
            var result = await work(session, cancellationToken);
            if (session.Discarded)
            {
                await transaction.RollbackAsync(cancellationToken);
                return result;
            }
            progress.Committing = true;
            await transaction.CommitAsync(cancellationToken);
            return result;
        }, cancellationToken);

    /// <inheritdoc />
    public Task<T> WriteStatementAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, bool isRepeatable, CancellationToken cancellationToken) =>
        RunAsync((connection, progress) =>
        {
            progress.Committing = !isRepeatable;
            return work(new(connection, null, Dialect, cacheCommands: false), cancellationToken);
        }, cancellationToken);

    /// <inheritdoc />
    public Task<T> ReadAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync((connection, _) => work(new(connection, null, Dialect, cacheCommands: false), cancellationToken), cancellationToken);

    /// <inheritdoc />
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        var upToDate = await ReadAsync(async (session, token) =>
            await session.Sql("SELECT to_regclass('\"__EFMigrationsHistory\"') IS NOT NULL").FirstOrDefaultAsync(r => r.GetBoolean(0), token)
            && await session.Sql("SELECT EXISTS (SELECT 1 FROM \"__EFMigrationsHistory\" WHERE \"MigrationId\" = @id)")
                .With("id", NewestMigration).FirstOrDefaultAsync(r => r.GetBoolean(0), token), cancellationToken);
        if (upToDate) return;
        try
        {
            // A session's lock, on a connection of its own: whoever comes second finds nothing left to do.
            await using var held = await _source.OpenConnectionAsync(cancellationToken);
            await ExecuteAsync(held, $"SELECT pg_advisory_lock({MigrationLock})", cancellationToken);
            try
            {
                await using var context = new PostgresCacheDb(new DbContextOptionsBuilder<PostgresCacheDb>().UseNpgsql(_source, npgsql => npgsql.CommandTimeout((int)MigrationLimit.TotalSeconds)).Options);
                await context.Database.MigrateAsync(cancellationToken);
            }
            finally
            {
                await ExecuteAsync(held, $"SELECT pg_advisory_unlock({MigrationLock})", CancellationToken.None);
            }
        }
        catch (Exception exception) when (Unavailable(exception) is { } unavailable)
        {
            throw unavailable;
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _source.DisposeAsync();

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = connection.CreateCommand();
        command.CommandTimeout = (int)MigrationLimit.TotalSeconds;
#pragma warning disable CA2100 // Constants.
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, UnitProgress, Task<T>> unit, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var progress = new UnitProgress();
            try
            {
                await using var connection = await _source.OpenConnectionAsync(cancellationToken);
                progress.Opened = true;
                return await unit(connection, progress);
            }
            catch (Exception exception)
            {
                if (attempt < MaxAttempts && MayRepeat(exception, progress)) continue;
                if (Unavailable(exception) is { } unavailable) throw unavailable;
                throw;
            }
        }
    }

    /// <summary>
    /// A deadlock's or a serialization failure's victim has changed nothing. A connection that broke before the commit was asked for
    /// has not either: most often it sat in the pool while the server restarted.
    /// </summary>
    private static bool MayRepeat(Exception exception, UnitProgress progress) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected } => true,
        // A server that does not answer will not do so any sooner.
        NpgsqlException { InnerException: TimeoutException } => false,
        NpgsqlException => progress is { Opened: true, Committing: false } && Unavailable(exception) is not (null or StoreFullException),
        _ => false,
    };

    private static DatabaseUnavailableException? Unavailable(Exception exception) => exception switch
    {
        PostgresException { SqlState: PostgresErrorCodes.DiskFull } full => new StoreFullException($"PostgreSQL has no room to write: {full.MessageText}", full),
        // Classes 08 connection, 53 resources, 57 operator intervention (shutdown, starting up, cancelled by it), 58 system error.
        PostgresException postgres => postgres.SqlState[..2] is "08" or "53" or "57" or "58"
            || postgres.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
            || postgres.SqlState is PostgresErrorCodes.ReadOnlySqlTransaction
            // We stood still in a transaction, or another does: the one was rolled back, the other will be.
            || postgres.SqlState is IdleInTransaction or PostgresErrorCodes.LockNotAvailable
            // The schema is not there yet: another process, or this one, is about to make it.
            || postgres.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedColumn
            ? new DatabaseUnavailableException($"PostgreSQL cannot do it now: {postgres.MessageText} ({postgres.SqlState})", postgres)
            : null,
        NpgsqlException or SocketException or TimeoutException => new DatabaseUnavailableException($"PostgreSQL cannot be reached: {exception.Message}", exception),
        _ => null,
    };

    private sealed class UnitProgress
    {
        public bool Opened { get; set; }

        public bool Committing { get; set; }
    }
}
