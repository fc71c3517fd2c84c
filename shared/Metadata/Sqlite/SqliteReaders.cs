using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;

namespace Entrepot.Metadata.Sqlite;

/// <summary>Read-only connections, opened when first needed and kept with their prepared commands.</summary>
internal sealed class SqliteReaders(SqliteFile file, SqlDialect dialect) : IDisposable
{
    private const int MaxReaders = 8;
    private readonly SemaphoreSlim _free = new(MaxReaders, MaxReaders);
    private readonly ConcurrentStack<(SqliteConnection Connection, DbSession Session)> _idle = new();
    private volatile bool _disposed;

    public async Task<T> ReadAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await _free.WaitAsync(cancellationToken);
        (SqliteConnection Connection, DbSession Session) reader = default;
        try
        {
            if (!_idle.TryPop(out reader)) reader = Open();
            var result = await work(reader.Session, cancellationToken);
            Return(reader);
            return result;
        }
        catch (Exception exception)
        {
            Close(reader);
            var translated = SqliteErrors.Translate(exception, file.Path);
            if (ReferenceEquals(translated, exception)) throw;
            throw translated;
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose()
    {
        _disposed = true;
        while (_idle.TryPop(out var reader)) Close(reader);
    }

    private (SqliteConnection, DbSession) Open()
    {
        var connection = file.OpenReader();
        return (connection, new(connection, null, dialect, cacheCommands: true));
    }

    private void Return((SqliteConnection, DbSession) reader)
    {
        if (_disposed) Close(reader);
        else _idle.Push(reader);
    }

    private static void Close((SqliteConnection? Connection, DbSession? Session) reader)
    {
        reader.Session?.DisposeCommands();
        reader.Connection?.Dispose();
    }
}
