using BenchmarkDotNet.Attributes;
using Entrepot.Oci;

namespace Entrepot.Bench.Micro;

/// <summary>The If-None-Match header, once per response.</summary>
public class IfNoneMatchBenchmarks
{
    private readonly Digest _digest = Sample.Digest;
    private readonly string _same = $"\"{Sample.Digest}\"";
    private readonly string _other = $"\"{Sample.OtherDigest}\"";
    private readonly string _list = string.Join(", ", Enumerable.Range(0, 7).Select(_ => $"W/\"{Sample.OtherDigest}\"").Append($"W/\"{Sample.Digest}\""));
    private readonly string _none = "";

    [GlobalSetup]
    public void Setup() => Sample.Check(Same() && LastOfEight() && !Other() && !None(), "the first two are the content");

    [Benchmark]
    public bool Same() => IfNoneMatch.Matches(_same, _digest);

    [Benchmark]
    public bool Other() => IfNoneMatch.Matches(_other, _digest);

    [Benchmark]
    public bool LastOfEight() => IfNoneMatch.Matches(_list, _digest);

    [Benchmark]
    public bool None() => IfNoneMatch.Matches(_none, _digest);
}
