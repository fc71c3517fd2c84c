using System.Data.Common;
using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>How rows of fetches and fetch_sources are read.</summary>
internal static class FetchRows
{
    private static readonly string[] StatusColumns =
    [
        "id", "kind", "key", "reference", "trust_domain", "state", "owner", "owner_address", "fence", "size", "expected_size",
        "answered_upstream", "answered_repository", "progress", "outcome", "message", "prefetch",
    ];

    /// <summary>Ordinal of the first column after those of <see cref="Columns"/>.</summary>
    public static int Width => StatusColumns.Length;

    /// <summary>How many columns <see cref="SourceColumns"/> are.</summary>
    public const int SourceWidth = 5;

    /// <summary>The columns <see cref="ReadStatus"/> wants, of this table or alias.</summary>
    public static string Columns(string table) => string.Join(", ", StatusColumns.Select(column => $"{table}.{column}"));

    /// <summary>The columns <see cref="ReadSource"/> wants, with the remaining time by the database's clock.</summary>
    public static string SourceColumns(string table, SqlDialect dialect) =>
        $"{table}.upstream, {table}.repository, {table}.outcome, {table}.message, {table}.retry_at - {dialect.Now}";

    public static FetchStatus ReadStatus(DbDataReader row, IReadOnlyList<FetchSource> sources, int first = 0) => new()
    {
        Id = row.GetGuid(first + 0),
        Kind = Enum.Parse<FetchKind>(row.GetString(first + 1)),
        Key = row.GetString(first + 2),
        Reference = row.GetString(first + 3),
        TrustDomain = row.GetString(first + 4),
        State = Enum.Parse<FetchState>(row.GetString(first + 5)),
        Owner = row.StringOrNull(first + 6),
        OwnerAddress = row.StringOrNull(first + 7),
        Fence = row.GetInt64(first + 8),
        Size = row.LongOrNull(first + 9),
        ExpectedSize = row.LongOrNull(first + 10),
        AnsweredUpstream = row.StringOrNull(first + 11),
        AnsweredRepository = row.StringOrNull(first + 12),
        Progress = row.GetInt64(first + 13),
        Outcome = row.OutcomeOrNull(first + 14),
        Message = row.StringOrNull(first + 15),
        Prefetch = row.GetBoolean(first + 16),
        Sources = sources,
    };

    public static FetchSource ReadSource(DbDataReader row, int first)
    {
        var remaining = row.LongOrNull(first + 4);
        return new(row.GetString(first), row.GetString(first + 1), row.OutcomeOrNull(first + 2), row.StringOrNull(first + 3),
            remaining > 0 ? TimeSpan.FromMilliseconds(remaining.Value) : null);
    }

    public static string? StringOrNull(this DbDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : row.GetString(ordinal);

    public static long? LongOrNull(this DbDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : row.GetInt64(ordinal);

    private static FetchOutcome? OutcomeOrNull(this DbDataReader row, int ordinal) => row.IsDBNull(ordinal) ? null : Enum.Parse<FetchOutcome>(row.GetString(ordinal));
}
