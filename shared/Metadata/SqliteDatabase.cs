using Entrepot.Metadata.Schema;
using Entrepot.Metadata.Sqlite;
using Microsoft.EntityFrameworkCore;

namespace Entrepot.Metadata;

/// <summary>
/// The embedded database: one file in WAL mode. Writes of the whole process go through one queue with group commit; reads run on
/// pooled read-only connections and never wait for a write.
/// </summary>
public sealed class SqliteDatabase : IDatabase
{
    /// <summary>The id of the last migration in Migrations/Sqlite: known without building Entity Framework's model, which start-up must not wait for.</summary>
    internal const string NewestMigration = "20261121192507_Uploads";

    private readonly SqliteFile _file;
    private readonly SqliteWriter _writer;
    private readonly SqliteReaders _readers;

    static SqliteDatabase() => SqliteBoot.Init();

    /// <param name="path">The database file; it and its folder are created by <see cref="MigrateAsync"/>.</param>
    public SqliteDatabase(string path)
    {
        _file = new(path);
        _writer = new(_file, Dialect);
        _readers = new(_file, Dialect);
    }

    /// <inheritdoc />
    public SqlDialect Dialect { get; } = SqlDialect.Sqlite();

    /// <inheritdoc />
    public Task<T> WriteAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => _writer.WriteAsync(work, cancellationToken);

    /// <inheritdoc />
    public Task<T> WriteStatementAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, bool isRepeatable, CancellationToken cancellationToken) => _writer.WriteAsync(work, cancellationToken);

    /// <inheritdoc />
    public Task<T> ReadAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken) => _readers.ReadAsync(work, cancellationToken);

    /// <inheritdoc />
    /// <remarks>A new file gets the schema from the script the migrations make (a test keeps it equal); an older one is migrated by Entity Framework.</remarks>
    public async Task MigrateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Task.Run(Migrate, cancellationToken);
        }
        catch (Exception exception) when (SqliteErrors.Translate(exception, _file.Path) is DatabaseUnavailableException unavailable)
        {
            throw unavailable;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        _readers.Dispose();
    }

    private void Migrate()
    {
        using var connection = _file.OpenWriter();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM sqlite_master WHERE name = '__EFMigrationsHistory'";
        if ((long)command.ExecuteScalar()! == 0)
        {
            SqliteFile.Run(connection, Script());
            return;
        }
        command.CommandText = $"SELECT count(*) FROM __EFMigrationsHistory WHERE MigrationId = '{NewestMigration}'";
        if ((long)command.ExecuteScalar()! > 0) return;
        using var context = new SqliteCacheDb(new DbContextOptionsBuilder<SqliteCacheDb>().UseSqlite(connection).Options);
        context.Database.Migrate();
    }

    private static string Script()
    {
        using var reader = new StreamReader(typeof(SqliteDatabase).Assembly.GetManifestResourceStream("sqlite.sql")!);
        return reader.ReadToEnd();
    }
}
