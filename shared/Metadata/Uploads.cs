namespace Entrepot.Metadata;

/// <summary>An upload in parts that was begun: its id at the store, and the object it is to become.</summary>
public sealed record Upload(string Id, string Digest, long Fence);

/// <summary>
/// The uploads in parts that are under way. An object store need not list them, so they are written down before their first part: what a killed process left is
/// found here. Safe for concurrent use.
/// </summary>
public sealed class Uploads(IDatabase database)
{
    /// <summary>Writes down an upload that has begun.</summary>
    public Task AddAsync(string id, string digest, long fence, CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql($"INSERT INTO uploads (id, digest, fence, begun_at) VALUES (@id, @digest, @fence, {database.Dialect.Now})")
            .With("id", id).With("digest", digest).With("fence", fence).ExecuteAsync(token), cancellationToken);

    /// <summary>Forgets an upload that has ended.</summary>
    public Task RemoveAsync(string id, CancellationToken cancellationToken) =>
        database.WriteAsync((session, token) => session.Sql("DELETE FROM uploads WHERE id = @id").With("id", id).ExecuteAsync(token), cancellationToken);

    /// <summary>Those begun longer ago than <paramref name="age"/> whose fetch is not running any more under their fence.</summary>
    public Task<IReadOnlyList<Upload>> FindAbandonedAsync(TimeSpan age, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<Upload>>(async (session, token) =>
            await session.Sql($"""
                SELECT u.id, u.digest, u.fence FROM uploads u
                WHERE u.begun_at <= {database.Dialect.Now} - @age
                    AND NOT EXISTS (SELECT 1 FROM fetches f WHERE f.state = 'Running' AND f.fence = u.fence)
                """)
                .With("age", (long)age.TotalMilliseconds).ListAsync(row => new Upload(row.GetString(0), row.GetString(1), row.GetInt64(2)), token), cancellationToken);
}
