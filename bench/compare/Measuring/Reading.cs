namespace Entrepot.Bench.Measuring;

/// <summary>How one connection fared.</summary>
/// <param name="FirstByte">From before it connected to the first byte of the body.</param>
/// <param name="Ended">When it had all, on <see cref="TestSupport.Running.TestClock"/>.</param>
/// <param name="Bytes">How many bytes it got.</param>
internal sealed record OneReading(TimeSpan FirstByte, TimeSpan Ended, long Bytes);

/// <summary>How all of them fared.</summary>
/// <param name="Began">When they began, on <see cref="TestSupport.Running.TestClock"/>.</param>
/// <param name="Each">Each connection.</param>
internal sealed record Reading(TimeSpan Began, IReadOnlyList<OneReading> Each)
{
    /// <summary>When the slowest had all.</summary>
    public TimeSpan Ended => Each.Max(one => one.Ended);

    /// <summary>The longest wait for a first byte.</summary>
    public TimeSpan WorstFirstByte => Each.Max(one => one.FirstByte);

    /// <summary>Bytes that all got together.</summary>
    public long Bytes => Each.Sum(one => one.Bytes);
}
