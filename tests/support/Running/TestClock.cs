using System.Diagnostics;

namespace Entrepot.TestSupport.Running;

/// <summary>One monotonic clock for everything a test measures, so that an upstream's and a client's times can be subtracted.</summary>
public static class TestClock
{
    private static readonly long Origin = Stopwatch.GetTimestamp();

    /// <summary>Time since the clock was first used in this process.</summary>
    public static TimeSpan Now => Stopwatch.GetElapsedTime(Origin);
}
