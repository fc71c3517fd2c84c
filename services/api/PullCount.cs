namespace Entrepot.Api;

/// <summary>How many answers of one kind were given, and how many bytes of content with them. Thread-safe.</summary>
internal sealed class PullCount
{
    private long _pulls, _bytes;

    public long Pulls => Interlocked.Read(ref _pulls);

    public long Bytes => Interlocked.Read(ref _bytes);

    public void Add(long bytes)
    {
        Interlocked.Increment(ref _pulls);
        if (bytes > 0) Interlocked.Add(ref _bytes, bytes);
    }
}
