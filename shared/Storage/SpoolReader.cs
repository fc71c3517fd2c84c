namespace Entrepot.Storage;

/// <summary>One reader of a <see cref="Spool"/>. The spool knows its position: to fetch first what is waited for, and to keep a pass-through from running ahead of it.</summary>
internal sealed class SpoolReader(Spool spool, long position) : IBlobSource
{
    private bool _disposed;

    /// <summary>The offset it waits for or reads at.</summary>
    public long Position { get; set; } = position;

    /// <summary>Who came to its offset before whom; 0 before it has waited at one.</summary>
    public long Turn { get; set; }

    /// <summary>Set when it stood still for too long under a pass-through: its bytes are given up.</summary>
    public bool Dropped { get; set; }

    public ValueTask<bool> WaitAsync(long offset, CancellationToken cancellationToken) => spool.WaitAsync(this, offset, cancellationToken);

    public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) => ValueTask.FromResult(spool.Read(offset, buffer.Span));

    public FileStretch? FileAt(long offset) => spool.FileAt(offset);

    public void Dispose()
    {
        if (_disposed) return;
        _disposed = true;
        spool.Close(this);
    }
}
