using Entrepot.Oci;

namespace Entrepot.Api.Access;

/// <summary>How often a digest was served since that was last asked. Thread-safe.</summary>
internal sealed class AccessCount(Digest digest)
{
    private long _count;

    public Digest Digest => digest;

    /// <summary>Counts one. True when it is the first.</summary>
    public bool Increment() => Interlocked.Increment(ref _count) == 1;

    /// <summary>The count, which begins anew.</summary>
    public long Take() => Interlocked.Exchange(ref _count, 0);
}
