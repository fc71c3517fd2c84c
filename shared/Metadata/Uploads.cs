namespace Entrepot.Metadata;

/// <summary>An upload in parts: the object it is to become, and its id at the store, when that was still written down.</summary>
public sealed record Upload(string Digest, long Fence, string? Id);

/// <summary>
/// The uploads in parts that are under way. An object store need not list them, so they are written down before they begin, and their id before their first part: what a
/// killed process left is found here. Safe for concurrent use.
/// </summary>
public sealed class Uploads(IDatabase database)
{
    /// <summary>Writes down that an upload is about to begin.</summary>
    /// <returns>The id of an earlier one of the same object that has not ended as far as we know: to be ended first, for only one is remembered. Else null.</returns>
    public Task<string?> AddAsync(string digest, long fence, CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql($"""
            INSERT INTO uploads (digest, fence, begun_at) VALUES (@digest, @fence, {database.Dialect.Now})
            ON CONFLICT (digest, fence) DO UPDATE SET begun_at = excluded.begun_at RETURNING upload_id
            """)
            .With("digest", digest).With("fence", fence).FirstOrDefaultAsync(row => row.StringOrNull(0), token), cancellationToken);

    /// <summary>Writes down its id.</summary>
    public Task NameAsync(string digest, long fence, string id, CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql("UPDATE uploads SET upload_id = @id WHERE digest = @digest AND fence = @fence")
            .With("id", id).With("digest", digest).With("fence", fence).ExecuteAsync(token), cancellationToken);

    /// <summary>Forgets an upload that has ended.</summary>
    public Task RemoveAsync(string digest, long fence, CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql("DELETE FROM uploads WHERE digest = @digest AND fence = @fence")
            .With("digest", digest).With("fence", fence).ExecuteAsync(token), cancellationToken);

    /// <summary>Those begun longer ago than <paramref name="age"/> whose fetch is not running any more under their fence.</summary>
    public Task<IReadOnlyList<Upload>> FindAbandonedAsync(TimeSpan age, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<Upload>>(async (session, token) =>
            await session.Sql($"""
                SELECT u.digest, u.fence, u.upload_id FROM uploads u
                WHERE u.begun_at <= {database.Dialect.Now} - @age
                    AND NOT EXISTS (SELECT 1 FROM fetches f WHERE f.state = 'Running' AND f.fence = u.fence)
                """)
                .With("age", (long)age.TotalMilliseconds).ListAsync(row => new Upload(row.GetString(0), row.GetInt64(1), row.StringOrNull(2)), token), cancellationToken);
}
