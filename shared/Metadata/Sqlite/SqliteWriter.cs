using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Entrepot.Metadata.Sqlite;

/// <summary>
/// The one writer of a process: SQLite allows one at a time anyway, and a queue in process is fair and never busy.
/// Commits what is queued together: each unit in its own savepoint, one commit for all, when the queue is empty or after <see cref="MaxBatch"/>.
/// The queue is bounded by its callers, each of whom waits for its unit.
/// </summary>
internal sealed class SqliteWriter : IAsyncDisposable
{
    private static readonly TimeSpan MaxBatch = TimeSpan.FromMilliseconds(20);
    private readonly Channel<WriteUnit> _queue = Channel.CreateUnbounded<WriteUnit>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SqliteFile _file;
    private readonly SqlDialect _dialect;
    private readonly Task _loop;
    private readonly Queue<WriteUnit> _again = new();
    private SqliteConnection? _connection;
    private DbSession? _session;

    public SqliteWriter(SqliteFile file, SqlDialect dialect)
    {
        _file = file;
        _dialect = dialect;
        _loop = Task.Run(RunAsync);
    }

    public async Task<T> WriteAsync<T>(Func<DbSession, CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        var unit = new WriteUnit<T>(work, cancellationToken);
        ObjectDisposedException.ThrowIf(!_queue.Writer.TryWrite(unit), this);
        return await unit.Committed.WaitAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        Close();
    }

    private async Task RunAsync()
    {
        var batch = new List<WriteUnit>();
        while (_again.Count > 0 || await _queue.Reader.WaitToReadAsync())
        {
            try
            {
                await CommitBatchAsync(batch);
            }
            catch (Exception exception)
            {
                // The transaction is lost, and with it every unit of the batch. Which of them was too much is not known: each is tried once more, alone.
                var translated = SqliteErrors.Translate(exception, _file.Path);
                Recover(translated);
                if (batch.Count == 1) batch[0].Fail(translated);
                else batch.ForEach(_again.Enqueue);
            }
            batch.Clear();
        }
    }

    private async Task CommitBatchAsync(List<WriteUnit> batch)
    {
        var alone = _again.TryDequeue(out var unit);
        if (!alone && !TryTake(out unit)) return;
        batch.Add(unit!);
        var session = Begin();
        var started = Stopwatch.GetTimestamp();
        do
        {
            await RunInSavepointAsync(session, unit!, batch);
            if (alone || Stopwatch.GetElapsedTime(started) >= MaxBatch || !TryTake(out unit)) break;
            batch.Add(unit!);
        } while (true);
        await session.Sql("COMMIT").ExecuteAsync(CancellationToken.None);
        foreach (var committed in batch) committed.Complete();
    }

    private async Task RunInSavepointAsync(DbSession session, WriteUnit unit, List<WriteUnit> batch)
    {
        await session.Sql("SAVEPOINT unit").ExecuteAsync(CancellationToken.None);
        session.BeginUnit();
        try
        {
            await unit.RunAsync(session);
            if (session.Discarded) await session.Sql("ROLLBACK TO unit").ExecuteAsync(CancellationToken.None);
        }
        catch (Exception exception)
        {
            await RollBackUnitAsync(session, exception);
            batch.Remove(unit);
            unit.Fail(SqliteErrors.Translate(exception, _file.Path));
        }
        await session.Sql("RELEASE unit").ExecuteAsync(CancellationToken.None);
    }

    private static async Task RollBackUnitAsync(DbSession session, Exception cause)
    {
        try
        {
            await session.Sql("ROLLBACK TO unit").ExecuteAsync(CancellationToken.None);
        }
        catch (SqliteException)
        {
            // Some errors (full, I/O) end the whole transaction, savepoints included: the neighbours' changes are gone too.
            ExceptionDispatchInfo.Throw(cause);
        }
    }

    private DbSession Begin()
    {
        if (_session is null)
        {
            _connection = _file.OpenWriter();
            _session = new(_connection, null, _dialect, cacheCommands: true);
        }
        SqliteFile.Run(_connection!, "BEGIN IMMEDIATE");
        return _session;
    }

    private bool TryTake([NotNullWhen(true)] out WriteUnit? unit)
    {
        while (_queue.Reader.TryRead(out unit))
            if (!unit.TryCancel()) return true;
        return false;
    }

    /// <summary>A full volume leaves a sound connection; after anything else a new one is opened for the next batch.</summary>
    private void Recover(Exception exception)
    {
        if (exception is not StoreFullException || _connection is null)
        {
            Close();
            return;
        }
        try
        {
            SqliteFile.Run(_connection, "ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite had rolled back by itself.
        }
    }

    private void Close()
    {
        _session?.DisposeCommands();
        _session = null;
        _connection?.Dispose();
        _connection = null;
    }
}
