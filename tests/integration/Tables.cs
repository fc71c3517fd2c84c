using Entrepot.Metadata;
using Entrepot.TestSupport.Product;

namespace Entrepot.IntegrationTests;

/// <summary>Looks into the database of a running Entrepot, whichever it is.</summary>
internal sealed class Tables(EntrepotProcess entrepot) : IAsyncDisposable
{
    private readonly IDatabase _database = entrepot.PostgresConnection is { } postgres
        ? new PostgresDatabase(postgres)
        : new SqliteDatabase(Path.Combine(entrepot.DataDirectory, "entrepot.db"));

    /// <summary>How many fetches are queued or running.</summary>
    public async Task<long> ActiveFetchesAsync() =>
        (await ListAsync("SELECT CAST(count(*) AS TEXT) FROM fetches WHERE state IN ('Queued', 'Running')")).Select(long.Parse).Single();

    /// <summary>The file names that the blobs table points to.</summary>
    public Task<List<string>> StoredObjectsAsync() => ListAsync("SELECT substr(digest, 8) || '.' || fence FROM blobs");

    /// <summary>How often a digest was used, and when last (ms since 1970); null when it never was.</summary>
    public async Task<(long Count, long LastAt)?> AccessOrNullAsync(string digest) =>
        (await _database.ReadAsync((session, token) => session.Sql("SELECT count, last_at FROM accesses WHERE digest = @digest").With("digest", digest).ListAsync(row => (row.GetInt64(0), row.GetInt64(1)), token), CancellationToken.None))
            is [var access] ? access : null;

    /// <summary>Changes rows behind Entrepot's back.</summary>
    public Task ExecuteAsync(string sql) => _database.WriteAsync((session, token) => session.Sql(sql).ExecuteAsync(token), CancellationToken.None);

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    private Task<List<string>> ListAsync(string sql) =>
        _database.ReadAsync((session, token) => session.Sql(sql).ListAsync(row => row.GetString(0), token), CancellationToken.None);
}
