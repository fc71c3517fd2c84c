using Entrepot.Metadata;
using Microsoft.Data.Sqlite;

namespace Entrepot.IntegrationTests;

/// <summary>Looks into the database of a running standalone service, read-only.</summary>
internal sealed class Tables : IAsyncDisposable
{
    private readonly SqliteConnection _connection;

    private Tables(SqliteConnection connection) => _connection = connection;

    public static async Task<Tables> OpenAsync(string dataDirectory)
    {
        SqliteBoot.Init();
        var connection = new SqliteConnection($"Data Source={Path.Combine(dataDirectory, "entrepot.db")};Mode=ReadOnly;Pooling=False");
        await connection.OpenAsync();
        return new Tables(connection);
    }

    public async Task<long> CountAsync(string from)
    {
        await using var command = _connection.CreateCommand();
#pragma warning disable CA2100 // A test's own text.
        command.CommandText = $"SELECT count(*) FROM {from}";
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The file names that the blobs table points to.</summary>
    public async Task<List<string>> StoredObjectsAsync()
    {
        await using var command = _connection.CreateCommand();
        command.CommandText = "SELECT substr(digest, 8) || '.' || fence FROM blobs";
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync()) names.Add(reader.GetString(0));
        return names;
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
