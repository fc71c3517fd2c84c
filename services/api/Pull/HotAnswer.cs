using Entrepot.Api.Access;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Oci;
using Microsoft.AspNetCore.Http;

namespace Entrepot.Api.Pull;

/// <summary>What was answered to a target a moment ago, from entries of the index, and is again as long as these stand.</summary>
internal abstract class HotAnswer(IndexEntry content, Digest digest, string ns, PullCount count) : IndexEntry
{
    public AccessCount Accesses { get; } = new(digest);

    public PullCount Count => count;

    public abstract ReadOnlyMemory<byte> Body { get; }

    // With its key, which is at most 512 characters long; the bytes are counted where they are held.
    public override long WeightBytes => 1600;

    /// <summary>Whether the ordinary way, asked again, would answer in just these words.</summary>
    public virtual bool Stands(IHeaderDictionary request, TimeProvider time, TimeSpan entryLasts)
    {
        // An entry that is due to be read again is served by the ordinary way, which sees to that.
        if (!content.IsCurrent || time.GetElapsedTime(content.LoadedAt) > entryLasts || request.IfNoneMatch.Count > 0) return false;
        content.Use();
        return true;
    }

    public void WriteHead(IHeaderDictionary headers, TimeProvider time)
    {
        CommonHead.Write(headers);
        if (ns.Length > 0) CommonHead.WriteNamespace(headers, ns);
        WriteContentHead(headers, time);
    }

    protected abstract void WriteContentHead(IHeaderDictionary headers, TimeProvider time);
}

/// <summary>A manifest, asked for by digest or by a tag that is fresh.</summary>
internal sealed class HotManifest(ManifestEntry manifest, TagEntry? tag, string ns, PullCount count) : HotAnswer(manifest, manifest.Digest, ns, count)
{
    private readonly bool _needsIndexReader = tag is not null && MediaTypes.IsIndex(manifest.MediaType);
    private AcceptSeen? _lastAccept;

    public override ReadOnlyMemory<byte> Body => manifest.Bytes;

    public bool IsOf(ManifestEntry other, TagEntry? otherTag) => manifest == other && tag == otherTag;

    public override bool Stands(IHeaderDictionary request, TimeProvider time, TimeSpan entryLasts)
    {
        if (tag is not null)
        {
            if (!tag.IsCurrent || time.GetElapsedTime(tag.LoadedAt) > entryLasts || !tag.IsFresh(time.GetElapsedTime(tag.CheckedAt))) return false;
            tag.Use();
        }
        return base.Stands(request, time, entryLasts) && (!_needsIndexReader || IsReader(request.Accept.ToString()));
    }

    protected override void WriteContentHead(IHeaderDictionary headers, TimeProvider time) =>
        ManifestResult.WriteHead(headers, manifest, new Provenance(CacheState.Hit, tag is null ? null : time.GetElapsedTime(tag.CheckedAt)));

    /// <summary>Clients of a kind send the same Accept, of several hundred characters, each time.</summary>
    private bool IsReader(string accept)
    {
        if (Volatile.Read(ref _lastAccept) is { } last && last.Text == accept) return last.AllowsIndex;
        var seen = new AcceptSeen(accept, AcceptHeader.AllowsIndex(accept));
        Volatile.Write(ref _lastAccept, seen);
        return seen.AllowsIndex;
    }

    private sealed record AcceptSeen(string Text, bool AllowsIndex);
}

/// <summary>A small blob, whole.</summary>
internal sealed class HotBlob(BlobEntry blob, byte[] bytes, string ns, PullCount count) : HotAnswer(blob, blob.Digest, ns, count)
{
    public override ReadOnlyMemory<byte> Body => bytes;

    public bool IsOf(BlobEntry other) => blob == other;

    public override bool Stands(IHeaderDictionary request, TimeProvider time, TimeSpan entryLasts) =>
        request.Range.Count == 0 && base.Stands(request, time, entryLasts);

    protected override void WriteContentHead(IHeaderDictionary headers, TimeProvider time) => BlobHead.WriteWhole(headers, blob);
}
