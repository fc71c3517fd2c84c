using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;

namespace Entrepot.Api.Index;

/// <summary>
/// What this replica knows without asking: tags, manifests and blobs by repository. A hit costs no database call. Entries are read again after
/// <see cref="ApiOptions.IndexEntryLasts"/>, off the path of the request that noticed, and outlive a database that is down; events correct them sooner.
/// </summary>
internal sealed class ContentIndex(Holdings holdings, UpstreamCatalog catalog, ApiOptions options, TimeProvider time, IndexRefresher refresher)
{
    private readonly BoundedCache<ContentKey, TagEntry> _tags = new(options.IndexBytes / 8);
    private readonly BoundedCache<ContentKey, ManifestEntry> _manifests = new(options.IndexBytes / 2);
    private readonly BoundedCache<ContentKey, BlobEntry> _blobs = new(options.IndexBytes * 3 / 8);

    /// <summary>The tag as the database has it, or null when no upstream ever answered for it.</summary>
    public ValueTask<TagEntry?> FindTagOrNullAsync(ContentKey key, CancellationToken cancellationToken) =>
        FindAsync(_tags, key, ReadTagAsync, cancellationToken);

    /// <summary>The manifest, when it is held and this repository may serve it.</summary>
    public ValueTask<ManifestEntry?> FindManifestOrNullAsync(ContentKey key, CancellationToken cancellationToken) =>
        FindAsync(_manifests, key, ReadManifestAsync, cancellationToken);

    /// <summary>The blob as this replica knows it to be stored and this repository's to serve; the database is not asked.</summary>
    public BlobEntry? KnownBlobOrNull(ContentKey key)
    {
        if (!_blobs.TryGet(key, out var entry)) return null;
        RefreshIfDue(_blobs, key, entry, ReadBlobAsync);
        return entry;
    }

    /// <summary>Reads the tag from the database now, after a fetch or when its time is up.</summary>
    public Task<TagEntry?> ReloadTagAsync(ContentKey key, CancellationToken cancellationToken) => LoadAsync(_tags, key, ReadTagAsync, cancellationToken);

    /// <summary>Reads the manifest from the database now, after a fetch.</summary>
    public Task<ManifestEntry?> ReloadManifestAsync(ContentKey key, CancellationToken cancellationToken) => LoadAsync(_manifests, key, ReadManifestAsync, cancellationToken);

    /// <summary>Reads the blob from the database now, after a fetch.</summary>
    public Task<BlobEntry?> ReloadBlobAsync(ContentKey key, CancellationToken cancellationToken) => LoadAsync(_blobs, key, ReadBlobAsync, cancellationToken);

    /// <summary>Forgets a tag that may have changed.</summary>
    public void ForgetTag(ContentKey key) => _tags.Remove(key);

    /// <summary>Forgets a blob whose object is gone.</summary>
    public void ForgetBlob(ContentKey key) => _blobs.Remove(key);

    /// <summary>The entry of a blob whose facts were just read, kept from now on; null when it is not stored, or this repository may not serve it.</summary>
    public BlobEntry? Remember(ContentKey key, BlobFacts facts)
    {
        if (facts.Held is not { } blob || !AccessRule.MayServe(catalog, key.Upstream, facts.Rights, facts.PossessedBy)) return null;
        var entry = new BlobEntry { LoadedAt = time.GetTimestamp(), Digest = Digest.Parse(key.Reference), Fence = blob.Fence, Size = blob.Size };
        _blobs.Set(key, entry);
        return entry;
    }

    /// <summary>Whether the upstream's trust domain has the blob's bytes.</summary>
    public bool IsHeldIn(Upstream upstream, BlobFacts facts) => AccessRule.IsHeldIn(catalog, upstream.Name, facts.PossessedBy);

    private async ValueTask<T?> FindAsync<T>(BoundedCache<ContentKey, T> cache, ContentKey key, Func<ContentKey, CancellationToken, Task<T?>> read, CancellationToken cancellationToken)
        where T : IndexEntry
    {
        if (!cache.TryGet(key, out var entry)) return await LoadAsync(cache, key, read, cancellationToken);
        RefreshIfDue(cache, key, entry, read);
        return entry;
    }

    private void RefreshIfDue<T>(BoundedCache<ContentKey, T> cache, ContentKey key, T entry, Func<ContentKey, CancellationToken, Task<T?>> read)
        where T : IndexEntry
    {
        if (time.GetElapsedTime(entry.LoadedAt) > options.IndexEntryLasts && entry.TryClaimRefresh())
            refresher.Enqueue(stopping => LoadAsync(cache, key, read, stopping));
    }

    private static async Task<T?> LoadAsync<T>(BoundedCache<ContentKey, T> cache, ContentKey key, Func<ContentKey, CancellationToken, Task<T?>> read, CancellationToken cancellationToken)
        where T : IndexEntry
    {
        var entry = await read(key, cancellationToken);
        if (entry is null) cache.Remove(key);
        else cache.Set(key, entry);
        return entry;
    }

    private async Task<TagEntry?> ReadTagAsync(ContentKey key, CancellationToken cancellationToken)
    {
        if (await holdings.FindTagOrNullAsync(key.Upstream, key.Repository, key.Reference, cancellationToken) is not { Digest: { } digest } tag) return null;
        var now = time.GetTimestamp();
        var checkedAt = now - (long)(tag.Age.TotalSeconds * time.TimestampFrequency);
        _tags.TryGet(key, out var old);
        // What went wrong counts until a check succeeds.
        var failed = old?.FailedCheck is { } last && last.At > checkedAt ? last : null;
        return new TagEntry
        {
            LoadedAt = now,
            Digest = Digest.Parse(digest),
            CheckedAt = checkedAt,
            Policy = old?.Policy ?? catalog.Find(key.Upstream)!.Tags.Of(key.Reference),
            FailedCheck = failed,
            IsGone = failed is not null && old!.IsGone,
        };
    }

    private async Task<ManifestEntry?> ReadManifestAsync(ContentKey key, CancellationToken cancellationToken)
    {
        var facts = await holdings.FindManifestAsync(key.Upstream, key.Repository, key.Reference, cancellationToken);
        if (facts.Held is not { } manifest || !AccessRule.MayServe(catalog, key.Upstream, facts.Rights, facts.PossessedBy)) return null;
        return new ManifestEntry { LoadedAt = time.GetTimestamp(), Digest = Digest.Parse(key.Reference), MediaType = manifest.MediaType, Bytes = manifest.Bytes };
    }

    private async Task<BlobEntry?> ReadBlobAsync(ContentKey key, CancellationToken cancellationToken)
    {
        var facts = await holdings.FindBlobAsync(key.Upstream, key.Repository, key.Reference, cancellationToken);
        if (facts.Held is not { } blob || !AccessRule.MayServe(catalog, key.Upstream, facts.Rights, facts.PossessedBy)) return null;
        return new BlobEntry { LoadedAt = time.GetTimestamp(), Digest = Digest.Parse(key.Reference), Fence = blob.Fence, Size = blob.Size };
    }
}
