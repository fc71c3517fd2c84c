using Microsoft.Data.Sqlite;

namespace Entrepot.Metadata.Sqlite;

/// <summary>Opens connections to one database file.</summary>
internal sealed class SqliteFile(string path)
{
    /// <summary>How long a statement waits for another process (an administrator's sqlite3) to let go of the file, in seconds.</summary>
    private const int BusyTimeoutSeconds = 5;

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public SqliteConnection OpenWriter()
    {
        CreateFolder();
        var connection = Open(SqliteOpenMode.ReadWriteCreate);
        // synchronous=NORMAL: after a power cut the last commits may be missing, never half there; a missing row is an object for the orphan sweep.
        Run(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864;");
        return connection;
    }

    public SqliteConnection OpenReader()
    {
        var connection = Open(SqliteOpenMode.ReadOnly);
        Run(connection, "PRAGMA cache_size=-1024;");
        return connection;
    }

    public static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Constants of this assembly only.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private void CreateFolder()
    {
        var folder = System.IO.Path.GetDirectoryName(Path)!;
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new DatabaseUnavailableException($"The folder of the database, {folder}, cannot be made: {exception.Message}", exception);
        }
    }

    private SqliteConnection Open(SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = Path,
            Mode = mode,
            Pooling = false,
            ForeignKeys = false,
            DefaultTimeout = BusyTimeoutSeconds,
        }.ToString());
        try
        {
            connection.Open();
            Run(connection, $"PRAGMA busy_timeout={BusyTimeoutSeconds * 1000};");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
