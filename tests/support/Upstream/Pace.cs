using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Upstream;

/// <summary>Keeps a transfer at a rate: tells how much to move at once and waits until it is time for more.</summary>
/// <param name="bytesPerSecond">The rate; null does not hold anything back.</param>
internal sealed class Pace(long? bytesPerSecond)
{
    private readonly TimeSpan _start = TestClock.Now;

    /// <summary>Most bytes to move at once: a fiftieth of a second's worth.</summary>
    public int Step => bytesPerSecond is { } rate ? (int)Math.Clamp(rate / 50, 512, 1 << 20) : int.MaxValue;

    /// <summary>Waits until so many bytes may have been moved since the start.</summary>
    public Task WaitAsync(long bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond is not { } rate) return Task.CompletedTask;
        var early = _start + TimeSpan.FromSeconds((double)bytes / rate) - TestClock.Now;
        return early > TimeSpan.FromMilliseconds(1) ? Task.Delay(early, cancellationToken) : Task.CompletedTask;
    }
}
