using System.Diagnostics;
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
        while (await _queue.Reader.WaitToReadAsync())
        {
            try
            {
                await CommitBatchAsync(batch);
            }
            catch (Exception exception)
            {
                // The transaction is lost, and with it every unit of the batch: nothing of them is in the database.
                Close();
                FailAll(batch, exception);
            }
            batch.Clear();
        }
    }

    private async Task CommitBatchAsync(List<WriteUnit> batch)
    {
        if (!TryTake(out var unit)) return;
        batch.Add(unit);
        var session = Begin();
        var started = Stopwatch.GetTimestamp();
        do
        {
            await RunInSavepointAsync(session, unit, batch);
            if (Stopwatch.GetElapsedTime(started) >= MaxBatch || !TryTake(out var next)) break;
            batch.Add(unit = next);
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
            // Some errors (full, I/O) end the whole transaction, savepoints included: the neighbours' changes are gone too, and must not be reported as done.
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

    private bool TryTake(out WriteUnit unit)
    {
        while (_queue.Reader.TryRead(out unit!))
            if (!unit.TryCancel()) return true;
        return false;
    }

    private void FailAll(List<WriteUnit> batch, Exception exception)
    {
        var translated = SqliteErrors.Translate(exception, _file.Path);
        foreach (var unit in batch) unit.Fail(translated);
    }

    private void Close()
    {
        _session?.DisposeCommands();
        _session = null;
        _connection?.Dispose();
        _connection = null;
    }
}
