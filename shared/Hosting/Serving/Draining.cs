namespace Entrepot.Hosting;

/// <summary>
/// Whether the process is on its way out. From <see cref="Begin"/> on <c>/readyz</c> says not ready, while everything that runs goes on.
/// Thread-safe.
/// </summary>
public sealed class Draining : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly CancellationTokenSource _cutShort = new();
    private int _begun;

    /// <summary>Makes one that has not begun.</summary>
    public Draining() => (Begun, CutShort) = (_source.Token, _cutShort.Token);

    /// <summary>Whether it has begun.</summary>
    public bool HasBegun => Begun.IsCancellationRequested;

    /// <summary>Cancelled when it begins: for those who should start nothing new.</summary>
    public CancellationToken Begun { get; }

    /// <summary>
    /// Cancelled when <see cref="PlatformOptions.ShutdownGrace"/> is over: a body that still runs then must return or throw short of its
    /// length, so that the client sees the connection end and resumes. A second later Kestrel ends what is left.
    /// </summary>
    public CancellationToken CutShort { get; }

    /// <summary>Says so. True for the first caller only.</summary>
    public bool Begin()
    {
        if (Interlocked.Exchange(ref _begun, 1) == 1)
            return false;
        _source.Cancel();
        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _cutShort.Dispose();
    }

    internal void EndGrace() => _cutShort.Cancel();
}
