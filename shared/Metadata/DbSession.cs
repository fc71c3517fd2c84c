using System.Data.Common;

namespace Entrepot.Metadata;

/// <summary>A connection lent to one unit of work. Not safe for concurrent use.</summary>
public sealed class DbSession
{
    private const int MaxCachedCommands = 256;
    private readonly DbConnection _connection;
    private readonly DbTransaction? _transaction;
    private readonly Dictionary<string, DbCommand>? _commands;

    /// <param name="connection">An open connection.</param>
    /// <param name="transaction">The transaction its commands belong to, when the driver wants to be told.</param>
    /// <param name="dialect">The database's words.</param>
    /// <param name="cacheCommands">Keep commands prepared for the next unit on this connection (SQLite; Npgsql prepares by itself).</param>
    internal DbSession(DbConnection connection, DbTransaction? transaction, SqlDialect dialect, bool cacheCommands)
    {
        _connection = connection;
        _transaction = transaction;
        Dialect = dialect;
        _commands = cacheCommands ? new(StringComparer.Ordinal) : null;
    }

    /// <summary>The words that differ between the two databases.</summary>
    public SqlDialect Dialect { get; }

    internal bool Discarded { get; private set; }

    /// <summary>The unit's changes are to be rolled back when it returns; its result is delivered all the same.</summary>
    public void Discard() => Discarded = true;

    internal void BeginUnit() => Discarded = false;

    /// <summary>A statement to which parameters are added by name (<c>@id</c>). Only one statement of the same text may be in use at a time.</summary>
    public DbStatement Sql(string text)
    {
        if (_commands is null) return new(NewCommand(text), Dialect, disposeCommand: true);
        if (!_commands.TryGetValue(text, out var command))
        {
            if (_commands.Count >= MaxCachedCommands) DisposeCommands();
            _commands.Add(text, command = NewCommand(text));
        }
        command.Parameters.Clear();
        return new(command, Dialect, disposeCommand: false);
    }

    internal void DisposeCommands()
    {
        if (_commands is null) return;
        foreach (var command in _commands.Values) command.Dispose();
        _commands.Clear();
    }

    private DbCommand NewCommand(string text)
    {
        var command = _connection.CreateCommand();
#pragma warning disable CA2100 // All text is ours: constants and the dialect's words. Values are always parameters.
        command.CommandText = text;
#pragma warning restore CA2100
        command.Transaction = _transaction;
        return command;
    }
}
