using System.Buffers;
using Entrepot.Oci;
using Microsoft.Win32.SafeHandles;

namespace Entrepot.Storage;

/// <summary>
/// One running blob fetch: a file that is written in pieces and in any order, hashed in order, and read by any number of readers while it
/// grows. When the disk has no room it goes on as a ring in memory, for the readers that are attached (<see cref="PassThrough"/>).
/// </summary>
/// <remarks>
/// This is the one place of the hold-back: until <see cref="VerifyAsync"/> has seen the digest match, no reader gets the last
/// min(<see cref="HoldBack"/>, size) bytes, so no whole-blob response ever completes with content that does not match its digest.
/// Writers and readers may use it at once; the writer that claimed it disposes it, and the file closes after the last reader.
/// </remarks>
public sealed partial class Spool : ILiveFetch, IDisposable
{
    /// <summary>How many bytes at the end of a blob wait for the digest.</summary>
    public const int HoldBack = 64 * 1024;

    // With processors to spare another one hashes while this one receives. Two are busy with the kernel's and the readers' share already, and to hash on the
    // one that has the bytes in its cache, while the kernel receives on, costs less (docs/performance.md).
    private static readonly bool HashesHere = Environment.ProcessorCount <= 2;

    /// <summary>How many bytes a pass-through keeps in memory.</summary>
    public const int RingCapacity = 32 * 1024 * 1024;

    private const long WriteBackStep = 64L * 1024 * 1024, PageBytes = 4096;

    private readonly Lock _lock = new();
    private readonly Pulse _changed = new();
    private readonly TimeProvider _time;
    private readonly SpoolHasher _hasher;
    private readonly FilledRanges _filled = new();
    private readonly List<SpoolReader> _readers = [];
    private SafeFileHandle? _file;
    private FileStream? _fileToSend;
    private LiveAnswer? _answer;
    private long _writtenBack, _answeredAt, _turns;
    private bool _verified, _ended, _released;

    /// <summary>A spool for one claim of a blob fetch. Nothing is opened yet.</summary>
    public Spool(Guid fetchId, long fence, Digest digest, string path, TimeProvider time)
    {
        (FetchId, Fence, Digest, Path, _time) = (fetchId, fence, digest, path, time);
        _hasher = new SpoolHasher(digest);
    }

    /// <summary>The fetch row's id.</summary>
    public Guid FetchId { get; }

    /// <summary>The claim this spool belongs to.</summary>
    public long Fence { get; }

    /// <summary>What the bytes must hash to.</summary>
    public Digest Digest { get; }

    /// <summary>The spool file.</summary>
    public string Path { get; }

    /// <summary>Whether the owner may serve and write now: false after a standstill until its lease is renewed.</summary>
    public Func<bool> IsHeld { get; init; } = static () => true;

    /// <summary>How long a reader of a pass-through may stand still before it is dropped.</summary>
    public TimeSpan ReaderStall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the bytes go through memory only, because there was no room for them on disk.</summary>
    public bool PassThrough => Volatile.Read(ref _ring) is not null;

    /// <summary>The announced size in bytes, or null before an upstream has answered.</summary>
    public long? Size => Volatile.Read(ref _answer)?.Size;

    /// <summary>How many bytes from the start are there without a gap.</summary>
    public long Prefix { get { lock (_lock) return _ring?.End ?? _filled.Prefix; } }

    /// <summary>How many bytes from the start lie in the file without a gap: what another owner could take over.</summary>
    public long FilePrefix { get { lock (_lock) return _filled.Prefix; } }

    /// <summary>How many bytes lie in the file altogether.</summary>
    public long FileBytes { get { lock (_lock) return _filled.Total; } }

    /// <summary>How many readers follow this spool now.</summary>
    public int ReaderCount { get { lock (_lock) return _readers.Count; } }

    /// <summary>Opens the spool file. With <paramref name="keepBytes"/> &gt; 0 the prefix left by a lost owner is taken over: it is hashed again.</summary>
    /// <exception cref="IOException">The file can't be opened or read.</exception>
    public void OpenFile(long keepBytes)
    {
        _file = File.OpenHandle(Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        _fileToSend = new FileStream(_file, FileAccess.ReadWrite, bufferSize: 0, isAsync: true);
        keepBytes = Math.Min(keepBytes, RandomAccess.GetLength(_file));
        Truncate(keepBytes);
        lock (_lock) _filled.Add(0, keepBytes);
        _hasher.GoOn(_file, keepBytes);
        _changed.Fire();
    }

    /// <summary>Whether a file of this spool is open.</summary>
    public bool HasFile => _file is not null;

    /// <summary>Says what the upstream announced; readers may now open. A later source must announce the same size.</summary>
    public void Answer(LiveAnswer answer)
    {
        Volatile.Write(ref _answer, answer);
        _answeredAt = _time.GetTimestamp();
        _changed.Fire();
    }

    /// <summary>Writes bytes at an offset. Into a file: any order, any number of writers. Into the ring: in order; waits for its slowest reader.</summary>
    /// <exception cref="SpoolFullException">The disk is full; <see cref="SwitchToRingAsync"/> goes on from the prefix.</exception>
    /// <exception cref="SpoolUnreadException">A pass-through that nobody reads.</exception>
    public async ValueTask WriteAsync(long offset, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        // Written between two reads, because the next bytes have not come: there is time to hash these.
        if (_ring is null) WriteFile(offset, bytes.Span, null, hashHere: true);
        else await WriteRingAsync(bytes, cancellationToken);
    }

    /// <summary>The same for the first <paramref name="count"/> bytes of an array rented from the shared pool. The array is the spool's from now on, whatever happens: it is hashed where it is.</summary>
    /// <inheritdoc cref="WriteAsync"/>
    public async ValueTask WriteRentedAsync(long offset, byte[] rented, int count, CancellationToken cancellationToken)
    {
        if (_ring is null)
        {
            WriteFile(offset, rented.AsSpan(0, count), rented, HashesHere);
            await _hasher.RoomAsync().WaitAsync(cancellationToken);
            return;
        }
        await WriteRingAsync(rented.AsMemory(0, count), cancellationToken);
        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>What all the bytes hash to; null while some are missing. A match with <see cref="Digest"/> lets the readers have the last of them. One caller at a time.</summary>
    /// <exception cref="IOException">The file can't be read back.</exception>
    public async Task<Digest?> VerifyAsync()
    {
        if (_verified) return Digest;
        await _hasher.CaughtUpAsync();
        if (Size is not { } size || _hasher.Hashed != size) return null;
        var actual = _hasher.Finish();
        if (actual == Digest)
        {
            Volatile.Write(ref _verified, true);
            _changed.Fire();
        }
        return actual;
    }

    /// <summary>No more bytes will come. Readers get what is there of a verified spool; of any other their source ends now.</summary>
    public void End()
    {
        Volatile.Write(ref _ended, true);
        _changed.Fire();
    }

    /// <summary>The offsets that readers wait for and that are not there; what has been waited for longest comes first.</summary>
    public IReadOnlyList<long> Wanted()
    {
        lock (_lock) return [.. _readers.OrderBy(reader => reader.Turn).Select(reader => reader.Position).Where(position => _filled.RunEnd(position) == position).Distinct()];
    }

    /// <summary>What is missing in [<paramref name="start"/>, <paramref name="end"/>), in order.</summary>
    public IReadOnlyList<(long Start, long End)> Gaps(long start, long end)
    {
        lock (_lock) return [.. _filled.Gaps(start, end)];
    }

    /// <summary>Writes everything to the disk.</summary>
    public void FlushToDisk()
    {
        if (Size is { } size && RandomAccess.GetLength(_file!) > size) RandomAccess.SetLength(_file!, size);
        RandomAccess.FlushToDisk(_file!);
    }

    /// <inheritdoc />
    public async Task<LiveAnswer?> WaitForAnswerAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _changed.Next;
            // Of an empty blob there is nothing to hold back but the answer itself.
            if (Volatile.Read(ref _answer) is { } answer && (answer.Size > 0 || Volatile.Read(ref _verified))) return answer;
            if (Volatile.Read(ref _ended)) return null;
            await changed.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc />
    public bool IsOwnerSilent => false;

    /// <inheritdoc />
    public IBlobSource? OpenOrNull(long offset)
    {
        lock (_lock)
        {
            if (_released || (_ended && !_verified) || Held(offset) < 0) return null;
            var reader = new SpoolReader(this, offset);
            _readers.Add(reader);
            return reader;
        }
    }

    /// <summary>The writer lets go: the file closes after the last reader.</summary>
    public void Dispose()
    {
        End();
        lock (_lock)
        {
            _released = true;
            CloseIfUnused();
        }
    }

    internal async ValueTask<bool> WaitAsync(SpoolReader reader, long offset, CancellationToken cancellationToken)
    {
        while (true)
        {
            var changed = _changed.Next;
            lock (_lock)
            {
                var moved = reader.Position != offset;
                reader.Position = offset;
                if (moved || reader.Turn == 0) reader.Turn = ++_turns;
                if (moved && _ring is not null) _changed.Fire();
                var held = reader.Dropped ? -1 : Held(offset);
                if (held < 0 || !IsHeld()) return false;
                if (held > 0) return true;
                if (_ended || offset >= Size) return false;
            }
            await changed.WaitAsync(cancellationToken);
        }
    }

    internal int Read(long offset, Span<byte> buffer)
    {
        long count;
        lock (_lock)
        {
            count = Math.Min(buffer.Length, Held(offset));
            if (count <= 0) return 0;
            if (_ring is not null && offset >= _filled.Prefix) return _ring.Read(offset, buffer[..(int)count]);
        }
        return RandomAccess.Read(_file!, buffer[..(int)count], offset);
    }

    internal FileStretch? FileAt(long offset)
    {
        lock (_lock)
        {
            if (_file is null || (_ring is not null && offset >= _filled.Prefix)) return null;
            return Held(offset) is > 0 and var count ? new FileStretch(_fileToSend!, count) : null;
        }
    }

    internal void Close(SpoolReader reader)
    {
        lock (_lock)
        {
            _readers.Remove(reader);
            CloseIfUnused();
        }
        _changed.Fire();
    }

    /// <summary>How many bytes a reader may have from an offset now; negative when they are gone for good.</summary>
    private long Held(long offset)
    {
        if (_ended && !_verified) return -1;
        if (_answer is not { } answer) return 0;
        var limit = _verified ? answer.Size : answer.Size - Math.Min(HoldBack, answer.Size);
        if (_ring is null || offset < _filled.Prefix) return Math.Max(0, Math.Min(limit, _filled.RunEnd(offset)) - offset);
        return offset < _ring.Start ? -1 : Math.Max(0, Math.Min(limit, _ring.End) - offset);
    }

    /// <summary>
    /// Up to the end of the page: sendfile(2) hands pages to the kernel as they are, and cutting through one would zero what a reader behind
    /// the cut has been promised.
    /// </summary>
    private void Truncate(long length)
    {
        length = (length + PageBytes - 1) / PageBytes * PageBytes;
        if (RandomAccess.GetLength(_file!) > length) RandomAccess.SetLength(_file!, length);
    }

    private void WriteFile(long offset, ReadOnlySpan<byte> bytes, byte[]? rented, bool hashHere)
    {
        try
        {
            RandomAccess.Write(_file!, bytes, offset);
        }
        catch (IOException e) when (Durable.IsFull(e))
        {
            throw new SpoolFullException(Path, e);
        }
        var end = offset + bytes.Length;
        long prefix;
        lock (_lock)
        {
            _filled.Add(offset, end);
            prefix = _filled.Prefix;
        }
        _changed.FireSoon();
        if (hashHere && _hasher.TryHash(_file!, offset, bytes, prefix))
        {
            if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        }
        else
        {
            if (rented is not null) _hasher.Offer(offset, rented, bytes.Length);
            _hasher.GoOn(_file!, prefix);
        }
        if (end - Interlocked.Read(ref _writtenBack) >= WriteBackStep)
            Durable.StartWriteBack(_file!, Interlocked.Exchange(ref _writtenBack, end), WriteBackStep);
    }

    private void CloseIfUnused()
    {
        if (!_released || _readers.Count > 0) return;
        _hasher.Dispose();
        _fileToSend?.Dispose();
        _file?.Dispose();
        FreeRing();
    }
}
