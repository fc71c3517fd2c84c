using BenchmarkDotNet.Attributes;
using Entrepot.Api;
using Entrepot.Api.Index;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging.Abstractions;

namespace Entrepot.Bench.Micro;

/// <summary>What a warm hit looks up, with strings of its own as every request has. The index is filled from a real database, and has not asked it since.</summary>
public class IndexBenchmarks
{
    private const int Others = 10_000;
    private readonly BoundedCache<ContentKey, BlobEntry> _cache = new(64 << 20);
    private string _folder = "";
    private SqliteDatabase _database = null!;
    private IndexRefresher _refresher = null!;
    private ContentIndex _index = null!;
    private ContentKey _tag, _manifest, _blob, _missing;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _folder = Directory.CreateTempSubdirectory("entrepot-micro-").FullName;
        _database = new SqliteDatabase(Path.Combine(_folder, "entrepot.db"));
        _refresher = new IndexRefresher(NullLogger<IndexRefresher>.Instance);
        // Nothing becomes due while it is measured.
        var options = new ApiOptions { IndexEntryLasts = TimeSpan.FromHours(1) };
        _index = new ContentIndex(new Holdings(_database), new UpstreamCatalog(UpstreamsDefaults.Create(), Sample.Upstream), options, TimeProvider.System, _refresher);
        await StoreAsync();

        var facts = new BlobFacts { Held = new HeldBlob(Sample.LayerBytes, 1), Rights = Rights.Downloaded, ListedSize = null, ListedMediaType = null, PossessedBy = [Sample.Upstream] };
        for (var i = 0; i < Others; i++)
        {
            var other = KeyOf($"sha256:{i:x64}");
            _index.Remember(other, facts);
            _cache.Set(other, new BlobEntry { LoadedAt = 0, Digest = Digest.Parse(other.Reference), Fence = 1, Size = Sample.LayerBytes });
        }
        Sample.Check(await _index.ReloadTagAsync(KeyOf(Sample.Tag), CancellationToken.None) is not null, "the tag is held");
        Sample.Check(await _index.ReloadManifestAsync(KeyOf(Sample.Digest.ToString()), CancellationToken.None) is not null, "the manifest is held");

        (_tag, _manifest, _blob, _missing) = (KeyOf(Sample.Tag), KeyOf(Sample.Digest.ToString()), KeyOf($"sha256:{Others / 2:x64}"), KeyOf(Sample.OtherDigest.ToString()));
        Sample.Check(TagHit() && ManifestHit() && BlobHit(), "they are hits");
        Sample.Check(MapHit() && !MapMiss(), "one is there and one is not");
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        _refresher.Dispose();
        await _database.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Benchmark]
    public bool TagHit()
    {
        var found = _index.FindTagOrNullAsync(_tag, CancellationToken.None);
        return found.IsCompletedSuccessfully && found.Result is not null;
    }

    [Benchmark]
    public bool ManifestHit()
    {
        var found = _index.FindManifestOrNullAsync(_manifest, CancellationToken.None);
        return found.IsCompletedSuccessfully && found.Result is not null;
    }

    [Benchmark]
    public bool BlobHit() => _index.KnownBlobOrNull(_blob) is not null;

    [Benchmark]
    public bool MapHit() => _cache.TryGet(_blob, out _);

    [Benchmark]
    public bool MapMiss() => _cache.TryGet(_missing, out _);

    private static ContentKey KeyOf(string reference) => new(Sample.Copy(Sample.Upstream), Sample.Copy(Sample.Repository), Sample.Copy(reference));

    /// <summary>Puts the tag and its manifest into the database, as a fetch does.</summary>
    private async Task StoreAsync()
    {
        await _database.MigrateAsync(CancellationToken.None);
        var queue = new FetchQueue(_database);
        await queue.JoinAsync(new() { Kind = FetchKind.Tag, Upstream = Sample.Upstream, Repository = Sample.Repository, Reference = Sample.Tag, TrustDomain = "public" }, CancellationToken.None);
        var fetch = await queue.ClaimAsync(new() { Owner = "micro", Address = "" }, CancellationToken.None);
        var manifest = new StoredManifest { Digest = Sample.Digest.ToString(), MediaType = MediaTypes.OciManifest, Bytes = new byte[1000], References = [] };
        var tag = new TagUpdate(Sample.Upstream, Sample.Repository, Sample.Tag, manifest.Digest, 0);
        await queue.CommitManifestAsync(fetch!.Id, fetch.Fence, manifest, Sample.Upstream, Sample.Repository, tag, CancellationToken.None);
    }
}
