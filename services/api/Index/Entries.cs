using Entrepot.Api.Pull;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Api.Index;

/// <summary>An entry of the index: when it was read from the database (timestamp of the time provider), and what it weighs.</summary>
internal abstract class IndexEntry
{
    private int _refreshing;
    private volatile bool _isUsed, _isRetired;

    public required long LoadedAt { get; init; }

    /// <summary>Whether the cache that holds it still does: false once it was replaced, forgotten or pushed out.</summary>
    public bool IsCurrent => !_isRetired;

    /// <summary>Whether it was read since the hand of its cache last passed.</summary>
    public bool IsUsed => _isUsed;

    public abstract long WeightBytes { get; }

    /// <summary>Notes a read, or that the hand has passed. Written only when it changes: a write per read would bounce the cache line between cores.</summary>
    public void Use(bool used = true)
    {
        if (_isUsed != used) _isUsed = used;
    }

    public void Retire() => _isRetired = true;

    /// <summary>True for the first caller: it reads the entry again for all.</summary>
    public bool TryClaimRefresh() => Interlocked.Exchange(ref _refreshing, 1) == 0;
}

/// <summary>Where a tag points, when its upstream last said so (timestamp), and how long that counts.</summary>
internal sealed class TagEntry : IndexEntry
{
    private FailedCheck? _failedCheck;
    private bool _isGone;

    public required Digest Digest { get; init; }

    public required long CheckedAt { get; init; }

    public required TagPolicy Policy { get; init; }

    /// <summary>The last check, when it failed.</summary>
    public FailedCheck? FailedCheck { get => Volatile.Read(ref _failedCheck); set => Volatile.Write(ref _failedCheck, value); }

    /// <summary>Its upstream has said that it is not there any more, and not taken that back.</summary>
    public bool IsGone { get => Volatile.Read(ref _isGone); set => Volatile.Write(ref _isGone, value); }

    public override long WeightBytes => 200;

    /// <summary>Whether it may be served at this age without asking its upstream.</summary>
    public bool IsFresh(TimeSpan age) => Policy.IsImmutable || age < Policy.Ttl;
}

/// <summary>A check of a tag that failed, and when (timestamp).</summary>
internal sealed record FailedCheck(long At, FetchFailure Failure);

/// <summary>A manifest that its repository may serve, byte for byte.</summary>
internal sealed class ManifestEntry : IndexEntry
{
    private string? _eTag;

    public required Digest Digest { get; init; }

    public string ETag => _eTag ??= $"\"{Digest}\"";

    public required string MediaType { get; init; }

    public required ReadOnlyMemory<byte> Bytes { get; init; }

    public override long WeightBytes => 300 + Bytes.Length;
}

/// <summary>A stored blob that its repository may serve; small ones with their bytes.</summary>
internal sealed class BlobEntry : IndexEntry
{
    /// <summary>Blobs up to this size are kept in memory once they were read: configs, mostly.</summary>
    public const int SmallBytes = 64 * 1024;

    private byte[]? _bytes;
    private string? _eTag;

    public required Digest Digest { get; init; }

    public string ETag => _eTag ??= $"\"{Digest}\"";

    public required long Fence { get; init; }

    public required long Size { get; init; }

    public byte[]? Bytes { get => Volatile.Read(ref _bytes); set => Volatile.Write(ref _bytes, value); }

    // Counted as if the bytes were there, because they come after the entry.
    public override long WeightBytes => 250 + (Size <= SmallBytes ? Size : 0);
}
