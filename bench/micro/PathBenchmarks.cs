using BenchmarkDotNet.Attributes;
using Entrepot.Oci;

namespace Entrepot.Bench.Micro;

/// <summary>A request's path, once per request.</summary>
public class PathBenchmarks
{
    private readonly string _byTag = $"/v2/{Sample.Repository}/manifests/{Sample.Tag}";
    private readonly string _byDigest = $"/v2/{Sample.Repository}/manifests/{Sample.Digest}";
    private readonly string _blob = $"/v2/{Sample.Repository}/blobs/{Sample.Digest}";
    private readonly string _escaped = $"/v2/{Sample.Repository}/blobs/{Sample.Digest}".Replace(":", "%3A", StringComparison.Ordinal);
    private readonly string _badDigest = $"/v2/{Sample.Repository}/blobs/sha256:{Sample.Digest.Hex.ToUpperInvariant()}";
    private readonly string _unknown = "/v2/library/nginx/layers/1";

    [GlobalSetup]
    public void Setup()
    {
        Sample.Check(ManifestByTag() && ManifestByDigest() && Blob() && BlobWithEscapedColon(), "they are good paths");
        Sample.Check(!BadDigest() && !NoSuchRoute(), "they are bad paths");
    }

    [Benchmark]
    public bool ManifestByTag() => OciPath.TryParse(_byTag, out _, out _);

    [Benchmark]
    public bool ManifestByDigest() => OciPath.TryParse(_byDigest, out _, out _);

    [Benchmark]
    public bool Blob() => OciPath.TryParse(_blob, out _, out _);

    [Benchmark]
    public bool BlobWithEscapedColon() => OciPath.TryParse(_escaped, out _, out _);

    [Benchmark]
    public bool BadDigest() => OciPath.TryParse(_badDigest, out _, out _);

    [Benchmark]
    public bool NoSuchRoute() => OciPath.TryParse(_unknown, out _, out _);
}
