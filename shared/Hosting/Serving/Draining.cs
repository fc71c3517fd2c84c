using System.Diagnostics;

namespace Entrepot.Hosting;

/// <summary>
/// Whether the process is on its way out. From <see cref="Begin"/> on <c>/readyz</c> says not ready, while everything that runs goes on.
/// Thread-safe.
/// </summary>
public sealed class Draining : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenSource _closed = new();
    private readonly CancellationTokenSource _cutShort = new();
    private int _begun;
    private long _begunAt;

    /// <summary>Makes one that has not begun.</summary>
    public Draining() => (Begun, Closed, CutShort) = (_source.Token, _closed.Token, _cutShort.Token);

    /// <summary>Whether it has begun.</summary>
    public bool HasBegun => Begun.IsCancellationRequested;

    /// <summary>Cancelled when it begins: for those who should start nothing new.</summary>
    public CancellationToken Begun { get; }

    /// <summary>Cancelled when no more connections are taken: what only this process has can be had by nobody new from now on.</summary>
    public CancellationToken Closed { get; }

    /// <summary>
    /// Cancelled when <see cref="PlatformOptions.ShutdownGrace"/> is over: a body that still runs then must return or throw short of its
    /// length, so that the client sees the connection end and resumes. A second later Kestrel ends what is left.
    /// </summary>
    public CancellationToken CutShort { get; }

    /// <summary>How long ago it began; zero as long as it has not.</summary>
    internal TimeSpan Elapsed => HasBegun ? Stopwatch.GetElapsedTime(_begunAt) : TimeSpan.Zero;

    /// <summary>Says so. True for the first caller only.</summary>
    public bool Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 1)
            return false;
        _begunAt = Stopwatch.GetTimestamp();
        _source.Cancel();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _closed.Dispose();
        _cutShort.Dispose();
    }

    internal void Close() => _closed.Cancel();

    internal void EndGrace() => _cutShort.Cancel();
}
