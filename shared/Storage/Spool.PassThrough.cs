namespace Entrepot.Storage;

/// <content>When the disk is full: a ring in memory, for those who are there.</content>
public sealed partial class Spool
{
    private static readonly TimeSpan RingGrace = TimeSpan.FromSeconds(1);

    private Ring? _ring;
    private Action? _ringFreed;

    /// <summary>Goes on in memory from the end of the prefix: everything behind it is forgotten, so the writer must continue there, in order.</summary>
    /// <param name="freed">Called once, when the memory is let go.</param>
    public async Task SwitchToRingAsync(Action freed)
    {
        lock (_lock)
        {
            _ringFreed = freed;
            _filled.TruncateTo(_filled.Prefix);
            _ring = new Ring(_filled.Prefix, RingCapacity);
            _answeredAt = _time.GetTimestamp();
            // What lies behind the prefix would only keep the disk full.
            if (_file is not null) Truncate(_filled.Prefix);
        }
        _changed.Fire();
        await _hasher.CaughtUpAsync();
    }

    /// <summary>Lets go of the memory of a pass-through after a while, whoever still has not read it.</summary>
    public async Task DropRingAsync(TimeSpan after)
    {
        await Task.Delay(after, _time);
        lock (_lock) FreeRing();
        _changed.Fire();
    }

    private async ValueTask WriteRingAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (bytes.Length > 0)
        {
            var changed = _changed.Next;
            var taken = 0;
            lock (_lock)
            {
                var young = _time.GetElapsedTime(_answeredAt) < RingGrace;
                if (!young && _readers.TrueForAll(r => r.Dropped)) throw new SpoolUnreadException();
                // Bytes may be overwritten when every reader is past them; in the first second more readers may come, so all are kept.
                var oldest = young ? _ring!.Start : _readers.Where(r => !r.Dropped).Min(r => r.Position);
                taken = (int)Math.Clamp(_ring!.Capacity - (_ring.End - Math.Max(oldest, _ring.Start)), 0, bytes.Length);
                _ring.Append(bytes.Span[..taken]);
            }
            if (taken > 0)
            {
                _hasher.Append(bytes.Span[..taken]);
                bytes = bytes[taken..];
                _changed.Fire();
                continue;
            }
            await WaitForReadersAsync(changed, cancellationToken);
        }
    }

    /// <summary>Waits for a reader to move; one that stands still longer than <see cref="ReaderStall"/> is dropped, so that it can't hold up the others.</summary>
    private async Task WaitForReadersAsync(Task changed, CancellationToken cancellationToken)
    {
        var slowest = SlowestReader();
        var young = _time.GetElapsedTime(_answeredAt) < RingGrace;
        try
        {
            await changed.WaitAsync(young ? RingGrace : ReaderStall, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            if (!young && slowest is { } s && s == SlowestReader()) s.Reader.Dropped = true;
        }
    }

    private (SpoolReader Reader, long Position)? SlowestReader()
    {
        lock (_lock) return _readers.Where(r => !r.Dropped).MinBy(r => r.Position) is { } r ? (r, r.Position) : null;
    }

    private void FreeRing()
    {
        if (_ringFreed is null) return;
        _ring = null;
        _ringFreed();
        _ringFreed = null;
    }
}
