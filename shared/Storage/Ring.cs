namespace Entrepot.Storage;

/// <summary>The newest bytes of a stream that is stored nowhere, by absolute offset. Not thread-safe.</summary>
internal sealed class Ring(long start, int capacity)
{
    private readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity);

    /// <summary>The oldest offset still held.</summary>
    public long Start { get; private set; } = start;

    /// <summary>The offset after the newest byte.</summary>
    public long End { get; private set; } = start;

    /// <summary>How many bytes are held at most.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>Appends at <see cref="End"/>; the oldest bytes give way.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        var at = (int)(End % Capacity);
        var first = Math.Min(bytes.Length, Capacity - at);
        bytes[..first].CopyTo(_bytes.AsSpan(at));
        bytes[first..].CopyTo(_bytes);
        End += bytes.Length;
        Start = Math.Max(Start, End - Capacity);
    }

    /// <summary>Copies from <paramref name="offset"/>, which must be held, as much as there is and fits.</summary>
    public int Read(long offset, Span<byte> buffer)
    {
        var count = (int)Math.Min(buffer.Length, End - offset);
        var at = (int)(offset % Capacity);
        var first = Math.Min(count, Capacity - at);
        _bytes.AsSpan(at, first).CopyTo(buffer);
        _bytes.AsSpan(0, count - first).CopyTo(buffer[first..]);
        return count;
    }
}
