using System.Data;
using System.Data.Common;

namespace Entrepot.Metadata;

/// <summary>One statement and its parameters; executed once.</summary>
public sealed class DbStatement
{
    private readonly DbCommand _command;
    private readonly SqlDialect _dialect;
    private readonly bool _disposeCommand;

    internal DbStatement(DbCommand command, SqlDialect dialect, bool disposeCommand)
    {
        _command = command;
        _dialect = dialect;
        _disposeCommand = disposeCommand;
    }

    /// <summary>Adds a text, or a typed null.</summary>
    public DbStatement With(string name, string? value) => Add(name, DbType.String, Storable(value));

    /// <summary>Adds a number, or a typed null.</summary>
    public DbStatement With(string name, long? value) => Add(name, DbType.Int64, value);

    /// <summary>Adds a truth value.</summary>
    public DbStatement With(string name, bool value) => Add(name, DbType.Boolean, value);

    /// <summary>Adds an id.</summary>
    public DbStatement With(string name, Guid value) => Add(name, DbType.Guid, value);

    /// <summary>Adds bytes.</summary>
    public DbStatement With(string name, byte[] value) => Add(name, DbType.Binary, value);

    /// <summary>Adds the name of an enumeration's member, or a typed null.</summary>
    public DbStatement With<TEnum>(string name, TEnum? value) where TEnum : struct, Enum => Add(name, DbType.String, value?.ToString());

    /// <summary>Adds ids for <see cref="SqlDialect.In"/>.</summary>
    public DbStatement WithList(string name, IReadOnlyCollection<Guid> values) => AddUntyped(name, _dialect.ListValue(values));

    /// <summary>Adds texts for <see cref="SqlDialect.In"/>.</summary>
    public DbStatement WithList(string name, IReadOnlyCollection<string> values) => AddUntyped(name, _dialect.ListValue(values));

    /// <summary>Runs it.</summary>
    /// <returns>How many rows it changed.</returns>
    public async Task<int> ExecuteAsync(CancellationToken cancellationToken)
    {
        try { return await _command.ExecuteNonQueryAsync(cancellationToken); }
        finally { await ReleaseAsync(); }
    }

    /// <summary>Runs it.</summary>
    /// <returns>What <paramref name="read"/> makes of the first row, or the type's default when there is none.</returns>
    public async Task<T?> FirstOrDefaultAsync<T>(Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        try
        {
            await using var reader = await _command.ExecuteReaderAsync(cancellationToken);
            return await reader.ReadAsync(cancellationToken) ? read(reader) : default;
        }
        finally { await ReleaseAsync(); }
    }

    /// <summary>Runs it.</summary>
    /// <returns>What <paramref name="read"/> makes of each row.</returns>
    public async Task<List<T>> ListAsync<T>(Func<DbDataReader, T> read, CancellationToken cancellationToken)
    {
        var rows = new List<T>();
        await ForEachAsync(reader => { rows.Add(read(reader)); return true; }, cancellationToken);
        return rows;
    }

    /// <summary>Runs it and calls <paramref name="next"/> for each row, until it returns false.</summary>
    public async Task ForEachAsync(Func<DbDataReader, bool> next, CancellationToken cancellationToken)
    {
        try
        {
            await using var reader = await _command.ExecuteReaderAsync(cancellationToken);
            while (await reader.ReadAsync(cancellationToken))
                if (!next(reader)) break;
        }
        finally { await ReleaseAsync(); }
    }

    /// <summary>Without NUL, which PostgreSQL's text cannot hold and nothing here needs: what upstreams send is not to be trusted even in this.</summary>
    internal static string? Storable(string? text) => text is not null && text.Contains('\0') ? text.Replace("\0", "", StringComparison.Ordinal) : text;

    private DbStatement Add(string name, DbType type, object? value)
    {
        var parameter = _command.CreateParameter();
        parameter.ParameterName = "@" + name;
        parameter.DbType = type;
        parameter.Value = value ?? DBNull.Value;
        _command.Parameters.Add(parameter);
        return this;
    }

    private DbStatement AddUntyped(string name, object value)
    {
        var parameter = _command.CreateParameter();
        parameter.ParameterName = "@" + name;
        parameter.Value = value;
        _command.Parameters.Add(parameter);
        return this;
    }

    private ValueTask ReleaseAsync() => _disposeCommand ? _command.DisposeAsync() : ValueTask.CompletedTask;
}
