using System.Buffers;
using System.Security.Cryptography;
using Entrepot.Oci;
using Microsoft.Win32.SafeHandles;

namespace Entrepot.Storage;

/// <summary>
/// Hashes a spool in order, beside the connections that fill it (SHA-256 costs as much as receiving): on the thread pool, or for a moment on the
/// thread that brings bytes. What comes in order it gets in memory, a little ahead; the rest it reads back, from the page cache. Thread-safe.
/// </summary>
internal sealed class SpoolHasher(Digest digest) : IThreadPoolWorkItem, IDisposable
{
    // A turn is about a millisecond: requests must not wait for a thread until a blob is hashed.
    private const int StepBytes = 256 * 1024, StepsPerTurn = 4, MostAhead = 16;

    private readonly Lock _lock = new();
    private readonly IncrementalHash _hash = digest.CreateHash();
    private readonly Queue<(long Offset, byte[] Rented, int Count)> _ahead = new(MostAhead);
    private SafeFileHandle? _file;
    private TaskCompletionSource? _caughtUp, _room;
    private Exception? _error;
    private long _hashed, _until;
    private bool _running, _disposed;

    /// <summary>How many bytes from the start are hashed.</summary>
    public long Hashed { get { lock (_lock) return _hashed; } }

    /// <summary>Takes over bytes, in an array rented from the shared pool, that were just written at <paramref name="offset"/>. Before <see cref="GoOn"/>.</summary>
    public void Offer(long offset, byte[] rented, int count)
    {
        lock (_lock)
        {
            if (offset == _until && offset - _hashed <= MostAhead * StepBytes && !_disposed && _error is null)
            {
                _ahead.Enqueue((offset, rented, count));
                return;
            }
        }
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>
    /// Completes when what was taken over is few megabytes. Who brings bytes in order faster than they are hashed waits for that: the blob is not
    /// complete before its hash is, and reading back what is not kept costs more.
    /// </summary>
    public Task RoomAsync()
    {
        lock (_lock)
        {
            if (_ahead.Count < MostAhead || !_running) return Task.CompletedTask;
            return (_room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>
    /// Hashes bytes, that were just written at <paramref name="offset"/>, on the caller's thread and lets it go on up to <paramref name="until"/>: if they are what it waits for.
    /// Returns false, and has done nothing, when they are not.
    /// </summary>
    public bool TryHash(SafeFileHandle file, long offset, ReadOnlySpan<byte> bytes, long until)
    {
        lock (_lock)
        {
            if (_running || _disposed || _error is not null || offset != _hashed || offset != _until || _ahead.Count > 0) return false;
            (_file, _until, _running) = (file, until, true);
        }
        _hash.AppendData(bytes);
        lock (_lock) _hashed += bytes.Length;
        EndTurn(error: null);
        return true;
    }

    /// <summary>Lets it go on up to <paramref name="until"/>: so far the file is filled from its start.</summary>
    public void GoOn(SafeFileHandle file, long until)
    {
        lock (_lock)
        {
            _file = file;
            _until = Math.Max(_until, until);
            if (_running || _disposed || _error is not null || _hashed >= _until) return;
            _running = true;
        }
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Completes when it stands still: everything it was let go on to is hashed.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public Task CaughtUpAsync()
    {
        lock (_lock)
        {
            if (_error is not null) return Task.FromException(_error);
            if (!_running) return Task.CompletedTask;
            return (_caughtUp ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    /// <summary>Hashes bytes that lie in no file and follow what is hashed. Only when it has caught up.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            _hash.AppendData(bytes);
            _hashed += bytes.Length;
        }
    }

    /// <summary>What all the bytes hash to. Once, when it has caught up.</summary>
    public Digest Finish()
    {
        lock (_lock) return Digest.FromHash(digest.Algorithm, _hash.GetHashAndReset());
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            if (_running) return;
            _hash.Dispose();
            DropAhead();
        }
    }

    void IThreadPoolWorkItem.Execute()
    {
        Exception? error = null;
        try
        {
            for (var step = 0; step < StepsPerTurn && Step(); step++)
            {
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            error = e;
        }
        EndTurn(error);
    }

    /// <summary>Hashes the next bytes; false when there are none yet.</summary>
    private bool Step()
    {
        SafeFileHandle file;
        byte[] buffer;
        int count;
        bool isAhead;
        lock (_lock)
        {
            if (_disposed || _hashed >= _until) return false;
            file = _file!;
            isAhead = _ahead.TryPeek(out var next) && next.Offset == _hashed;
            (buffer, count) = isAhead
                ? (_ahead.Dequeue().Rented, next.Count)
                : (ArrayPool<byte>.Shared.Rent(StepBytes), (int)Math.Min(StepBytes, (_ahead.Count > 0 ? next.Offset : _until) - _hashed));
        }
        try
        {
            if (!isAhead) count = RandomAccess.Read(file, buffer.AsSpan(0, count), _hashed);
            if (count == 0) throw new EndOfStreamException("The spool is shorter than what was written to it.");
            _hash.AppendData(buffer, 0, count);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        TaskCompletionSource? room = null;
        lock (_lock)
        {
            _hashed += count;
            if (_ahead.Count < MostAhead / 2) (room, _room) = (_room, null);
        }
        room?.SetResult();
        return true;
    }

    private void EndTurn(Exception? error)
    {
        TaskCompletionSource? caughtUp = null, room = null;
        lock (_lock)
        {
            _error = error;
            _running = error is null && !_disposed && _hashed < _until;
            if (_error is not null || _disposed) DropAhead();
            if (!_running) (caughtUp, _caughtUp, room, _room) = (_caughtUp, null, _room, null);
            if (_disposed) _hash.Dispose();
            if (_running) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
        room?.SetResult();
        if (error is null) caughtUp?.SetResult();
        else caughtUp?.SetException(error);
    }

    private void DropAhead()
    {
        while (_ahead.TryDequeue(out var dropped)) ArrayPool<byte>.Shared.Return(dropped.Rented);
    }
}
