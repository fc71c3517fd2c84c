using Entrepot.Api.Access;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Pull;

/// <summary>
/// What was answered to a target a moment ago, from an entry of the index, and is again as long as that stands. Holds on to no content: what the
/// index pushes out must leave the memory.
/// </summary>
internal abstract class HotAnswer(IndexEntry content, Digest digest, string ns, PullCount count) : IndexEntry
{
    private readonly WeakReference<IndexEntry> _content = new(content);

    public AccessCount Accesses { get; } = new(digest);

    public PullCount Count => count;

    // With its key, which is at most 512 characters long.
    public override long WeightBytes => 1600;

    /// <summary>The entry, if the ordinary way, asked again, would answer from it in just these words; else null.</summary>
    public virtual IndexEntry? ContentIfStanding(IHeaderDictionary request, TimeProvider time, TimeSpan entryLasts)
    {
        // An entry that is due to be read again is served by the ordinary way, which sees to that.
        if (!_content.TryGetTarget(out var held) || !held.IsCurrent || time.GetElapsedTime(held.LoadedAt) > entryLasts || request.IfNoneMatch.Count > 0) return null;
        held.Use();
        return held;
    }

    public abstract ReadOnlyMemory<byte> BodyOf(IndexEntry held);

    public void WriteHead(IHeaderDictionary headers, IndexEntry held, TimeProvider time)
    {
        CommonHead.Write(headers);
        if (ns.Length > 0) CommonHead.WriteNamespace(headers, ns);
        WriteContentHead(headers, held, time);
    }

    public bool IsOf(IndexEntry other) => _content.TryGetTarget(out var held) && held == other;

    protected abstract void WriteContentHead(IHeaderDictionary headers, IndexEntry held, TimeProvider time);
}

/// <summary>A manifest, asked for by digest or by a tag that is fresh.</summary>
internal sealed class HotManifest(ManifestEntry manifest, TagEntry? tag, string ns, PullCount count) : HotAnswer(manifest, manifest.Digest, ns, count)
{
    private const int LongestAccept = 1024;

    private readonly bool _needsIndexReader = tag is not null && MediaTypes.IsIndex(manifest.MediaType);
    private AcceptSeen? _lastAccept;

    public override long WeightBytes => base.WeightBytes + (_needsIndexReader ? sizeof(char) * LongestAccept : 0);

    public bool IsOf(ManifestEntry other, TagEntry? otherTag) => IsOf(other) && tag == otherTag;

    public override IndexEntry? ContentIfStanding(IHeaderDictionary request, TimeProvider time, TimeSpan entryLasts)
    {
        if (tag is not null)
        {
            if (!tag.IsCurrent || time.GetElapsedTime(tag.LoadedAt) > entryLasts || !tag.IsFresh(time.GetElapsedTime(tag.CheckedAt))) return null;
            tag.Use();
        }
        return _needsIndexReader && !IsReader(request.Accept.ToString()) ? null : base.ContentIfStanding(request, time, entryLasts);
    }

    public override ReadOnlyMemory<byte> BodyOf(IndexEntry held) => ((ManifestEntry)held).Bytes;

    protected override void WriteContentHead(IHeaderDictionary headers, IndexEntry held, TimeProvider time) =>
        ManifestResult.WriteHead(headers, (ManifestEntry)held, new Provenance(CacheState.Hit, tag is null ? null : time.GetElapsedTime(tag.CheckedAt)));

    /// <summary>Clients of a kind send the same Accept, of several hundred characters, each time.</summary>
    private bool IsReader(string accept)
    {
        if (Volatile.Read(ref _lastAccept) is { } last && last.Text == accept) return last.AllowsIndex;
        var allowsIndex = AcceptHeader.AllowsIndex(accept);
        if (accept.Length <= LongestAccept) Volatile.Write(ref _lastAccept, new AcceptSeen(accept, allowsIndex));
        return allowsIndex;
    }

    private sealed record AcceptSeen(string Text, bool AllowsIndex);
}

/// <summary>A small blob, whole.</summary>
internal sealed class HotBlob(BlobEntry blob, string ns, PullCount count) : HotAnswer(blob, blob.Digest, ns, count)
{
    public override IndexEntry? ContentIfStanding(IHeaderDictionary request, TimeProvider time, TimeSpan entryLasts) =>
        request.Range.Count > 0 ? null : base.ContentIfStanding(request, time, entryLasts);

    public override ReadOnlyMemory<byte> BodyOf(IndexEntry held) => ((BlobEntry)held).Bytes;

    protected override void WriteContentHead(IHeaderDictionary headers, IndexEntry held, TimeProvider time) => BlobHead.WriteWhole(headers, (BlobEntry)held);
}
