namespace Entrepot.Metadata;

/// <summary>
/// One database, SQLite or PostgreSQL, behind the same SQL but for the words in <see cref="Dialect"/>. Safe for concurrent use.
/// All work is given as a function of a session; sessions must not be kept, and units must not be nested.
/// </summary>
/// <exception cref="DatabaseUnavailableException">From every method, when the database cannot answer now.</exception>
public interface IDatabase : IAsyncDisposable
{
    /// <summary>The words that differ between the two databases.</summary>
    SqlDialect Dialect { get; }

    /// <summary>
    /// Runs the unit in one transaction and returns when it is committed. The unit may be run a second time (after a deadlock or a
    /// stale connection), so it must change nothing outside the database. When cancelled while it waits for its commit, it may or may not be committed.
    /// </summary>
    /// <exception cref="StoreFullException">There is no room to write.</exception>
    Task<T> WriteAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken);

    /// <summary>Runs one statement that is a transaction by itself: what <see cref="WriteAsync"/> does, less the begin and the commit where the database needs none.</summary>
    /// <param name="work">Makes and runs the one statement.</param>
    /// <param name="isRepeatable">Whether it may be run again when its answer was lost with the connection, and it may have been done.</param>
    /// <param name="cancellationToken">Stops it; it may have been done all the same.</param>
    /// <exception cref="StoreFullException">There is no room to write.</exception>
    Task<T> WriteStatementAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, bool isRepeatable, CancellationToken cancellationToken);

    /// <summary>Runs queries without a transaction: each statement sees what was committed when it began.</summary>
    Task<T> ReadAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken);

    /// <summary>Brings the schema up to date. One small query when it is already; safe when several processes start at once.</summary>
    Task MigrateAsync(CancellationToken cancellationToken);
}
