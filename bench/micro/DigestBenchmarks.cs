using System.Security.Cryptography;
using BenchmarkDotNet.Attributes;
using Entrepot.Oci;

namespace Entrepot.Bench.Micro;

/// <summary>Digests: as text, and of content.</summary>
public class DigestBenchmarks
{
    private readonly string _text = Sample.Digest.ToString();
    private readonly string _path = $"/v2/{Sample.Repository}/blobs/{Sample.Digest}";
    private readonly byte[] _hash = SHA256.HashData("sample"u8);
    private readonly byte[] _content = new byte[1 << 20];
    private Digest _ofContent;

    [GlobalSetup]
    public void Setup()
    {
        new Random(1).NextBytes(_content);
        _ofContent = Digest.Sha256Of(_content);
        Sample.Check(ParseString() == Sample.Digest && ParsePartOfPath() == Sample.Digest && FormatHash() == Sample.Digest, "three ways to one digest");
        Sample.Check(Verify1MiB(), "the content is its digest's");
    }

    [Benchmark]
    public Digest ParseString() => Digest.Parse(_text);

    [Benchmark]
    public Digest ParsePartOfPath() => Digest.TryParse(_path.AsSpan(_path.LastIndexOf('/') + 1), out var digest) ? digest : default;

    [Benchmark]
    public Digest FormatHash() => Digest.FromHash(Digest.Sha256, _hash);

    [Benchmark]
    public Digest Hash1MiB() => Digest.Sha256Of(_content);

    [Benchmark]
    public bool Verify1MiB() => _ofContent.Matches(_content);
}
