using System.Diagnostics;

namespace Entrepot.Metadata;

/// <summary>What time it is at the database: what it said last, and how long ago that was here. Thread-safe.</summary>
internal sealed class DatabaseClock(SqlDialect dialect)
{
    private volatile Word? _last;

    /// <summary>Unix milliseconds, no later than the database's own clock shows; null before it has said anything.</summary>
    public long? Now => _last is { } last ? last.Milliseconds + (long)Stopwatch.GetElapsedTime(last.HeardAt).TotalMilliseconds + Offset : null;

    private long Offset => (long)dialect.ClockOffset.TotalMilliseconds;

    /// <summary>The database has just said what <see cref="SqlDialect.Now"/> is.</summary>
    public void Heard(long milliseconds) => _last = new(milliseconds - Offset, Stopwatch.GetTimestamp());

    private sealed record Word(long Milliseconds, long HeardAt);
}
