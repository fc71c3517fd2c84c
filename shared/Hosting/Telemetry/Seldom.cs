namespace Entrepot.Hosting;

/// <summary>For what may happen a thousand times a second and is worth a line in the log: says when the next one may be written. Thread-safe.</summary>
/// <param name="every">The shortest time between two.</param>
/// <param name="time">The clock.</param>
public sealed class Seldom(TimeSpan every, TimeProvider time)
{
    private long _last;

    /// <summary>True for the first to ask, and again for one when the time is over.</summary>
    public bool IsDue()
    {
        var (now, last) = (time.GetTimestamp(), Interlocked.Read(ref _last));
        return (last == 0 || time.GetElapsedTime(last, now) >= every) && Interlocked.CompareExchange(ref _last, now, last) == last;
    }
}
