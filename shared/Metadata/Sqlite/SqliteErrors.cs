using Microsoft.Data.Sqlite;

namespace Entrepot.Metadata.Sqlite;

/// <summary>What SQLite's result codes mean to callers. Source: sqlite.org/rescode.html.</summary>
internal static class SqliteErrors
{
    private const int Busy = 5, ReadOnly = 8, IoError = 10, Corrupt = 11, Full = 13, CannotOpen = 14, Protocol = 15, NotADatabase = 26;

    /// <summary>The exception callers know, or the same one when it is the unit's own mistake (a constraint, bad SQL).</summary>
    public static Exception Translate(Exception exception, string path) => exception is not SqliteException sqlite
        ? exception
        : sqlite.SqliteErrorCode switch
        {
            Full => new StoreFullException($"No room on the volume of the database {path}: free space there, or lower MaxStoreBytes", sqlite),
            Busy or ReadOnly or IoError or Corrupt or CannotOpen or Protocol or NotADatabase =>
                new DatabaseUnavailableException($"The database {path} cannot be used now: {sqlite.Message} (extended code {sqlite.SqliteExtendedErrorCode})", sqlite),
            _ => exception,
        };
}
