using System.Globalization;
using System.Text.Json;

namespace Entrepot.Metadata;

/// <summary>The few words in which the SQL of SQLite (3.35 and later) and PostgreSQL differ.</summary>
public sealed class SqlDialect
{
    private readonly bool _postgres;
    private readonly string _now;

    private SqlDialect(bool postgres, string now)
    {
        _postgres = postgres;
        _now = now;
    }

    /// <summary>
    /// Added to the database's clock in every statement of this process, so that tests move time without sleeping.
    /// <value>Default 0.</value>
    /// </summary>
    public TimeSpan ClockOffset { get; set; }

    /// <summary>
    /// An expression: unix milliseconds by the database's clock, the only clock the rows know. On PostgreSQL it is the
    /// wall clock rather than the transaction's start, so that a condition re-evaluated after waiting for a lock sees the time of then.
    /// </summary>
    public string Now => ClockOffset == TimeSpan.Zero
        ? _now
        : string.Create(CultureInfo.InvariantCulture, $"({_now} + {(long)ClockOffset.TotalMilliseconds})");

    /// <summary>An expression: a fence greater than every one given before, whatever the row. See <see cref="TakeFence"/>.</summary>
    public string NextFence => _postgres ? "nextval('fetch_fences')" : "(SELECT value + 1 FROM fence_counter)";

    /// <summary>A statement that must follow in the same transaction when <see cref="NextFence"/> was used, or null.</summary>
    public string? TakeFence => _postgres ? null : "UPDATE fence_counter SET value = value + 1";

    /// <summary>The function of several arguments that returns the greatest.</summary>
    public string Greatest => _postgres ? "greatest" : "max";

    /// <summary>Whether several writers work at once, so that a row can be locked by another.</summary>
    public bool HasRowLocks => _postgres;

    /// <summary>The end of a SELECT: lock the rows of this table alias against other writers until the transaction ends.</summary>
    public string ForUpdate(string alias) => _postgres ? $"FOR NO KEY UPDATE OF {alias}" : "";

    /// <summary>The same, but leave out rows another transaction holds.</summary>
    public string ForUpdateSkipLocked(string alias) => _postgres ? $"FOR NO KEY UPDATE OF {alias} SKIP LOCKED" : "";

    /// <summary>A condition: the column is one of the list parameter's values (<see cref="DbStatement.WithList(string, IReadOnlyCollection{Guid})"/>).</summary>
    public string In(string column, string parameter) => _postgres ? $"{column} = ANY(@{parameter})" : $"{column} IN (SELECT value FROM json_each(@{parameter}))";

    /// <summary>A table expression with this alias, of the rows in a JSON text parameter made by <see cref="Json"/>.</summary>
    /// <param name="parameter">The parameter's name.</param>
    /// <param name="alias">The alias of the table.</param>
    /// <param name="columns">Names, each with its PostgreSQL type.</param>
    public string Rows(string parameter, string alias, params ReadOnlySpan<(string Name, string Type)> columns)
    {
        var parts = new string[columns.Length];
        for (var i = 0; i < parts.Length; i++)
            parts[i] = _postgres ? $"{columns[i].Name} {columns[i].Type}" : $"json_extract(value, '$.{columns[i].Name}') AS {columns[i].Name}";
        return _postgres
            ? $"json_to_recordset(@{parameter}::json) AS {alias}({string.Join(", ", parts)})"
            : $"(SELECT {string.Join(", ", parts)} FROM json_each(@{parameter})) AS {alias}";
    }

    /// <summary>The value of a parameter for <see cref="Rows"/>: one JSON object per row.</summary>
    public static string Json<T>(IEnumerable<T> rows, Action<Utf8JsonWriter, T> write)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartArray();
            foreach (var row in rows)
            {
                json.WriteStartObject();
                write(json, row);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        return System.Text.Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>An id as text that both databases compare rightly: Microsoft.Data.Sqlite stores ids as upper case text.</summary>
    public static string Text(Guid id) => id.ToString("D").ToUpperInvariant();

    internal static SqlDialect Sqlite() => new(postgres: false, "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)");

    internal static SqlDialect Postgres() => new(postgres: true, "(extract(epoch from clock_timestamp()) * 1000)::bigint");

    internal object ListValue(IReadOnlyCollection<Guid> ids) => _postgres
        ? ids.ToArray()
        : "[" + string.Join(',', ids.Select(id => $"\"{Text(id)}\"")) + "]";

    internal object ListValue(IReadOnlyCollection<string> texts) => _postgres
        ? texts.ToArray()
        : "[" + string.Join(',', texts.Select(text => $"\"{JsonEncodedText.Encode(text)}\"")) + "]";
}
