namespace Entrepot.Bench.Upstreams;

/// <summary>A blob of an image.</summary>
/// <param name="Digest"><c>sha256:…</c></param>
/// <param name="Size">Bytes.</param>
internal sealed record BenchBlob(string Digest, long Size);

/// <summary>An image that the upstream has.</summary>
/// <param name="Repository">For example <c>bench/big</c>.</param>
/// <param name="Tag">Its one tag.</param>
/// <param name="Digest">The manifest's digest.</param>
/// <param name="Config">The config.</param>
/// <param name="Layers">The layers.</param>
internal sealed record BenchImage(string Repository, string Tag, string Digest, BenchBlob Config, IReadOnlyList<BenchBlob> Layers)
{
    /// <summary>Path of the manifest by its tag.</summary>
    public string ByTag => $"/v2/{Repository}/manifests/{Tag}";

    /// <summary>Path of the manifest by its digest.</summary>
    public string ByDigest => $"/v2/{Repository}/manifests/{Digest}";

    /// <summary>Bytes of all blobs.</summary>
    public long BlobBytes => Config.Size + Layers.Sum(layer => layer.Size);

    /// <summary>Path of one of its blobs.</summary>
    public string PathOf(BenchBlob blob) => $"/v2/{Repository}/blobs/{blob.Digest}";
}
