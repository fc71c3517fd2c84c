using BenchmarkDotNet.Attributes;
using Entrepot.Oci;

namespace Entrepot.Bench.Micro;

/// <summary>The Range header, once per blob response.</summary>
public class RangeBenchmarks
{
    // An absent header is the text of no values.
    private readonly string _none = "";
    private readonly string _one = "bytes=10485760-20971519";
    private readonly string _suffix = "bytes=-65536";
    private readonly string _nonsense = "bytes=0-499,what-ever";
    private readonly string _many = "bytes=" + string.Join(", ", Enumerable.Range(0, ByteRanges.MaxCount).Select(i => $"{i * 1000}-{(i * 1000) + 499}"));

    [GlobalSetup]
    public void Setup()
    {
        Sample.Check(None() is ByteRanges.Ignored && Nonsense() is ByteRanges.Ignored, "they are ignored");
        Sample.Check(One() is ByteRanges.Satisfiable { Ranges.Count: 1 } && Suffix() is ByteRanges.Satisfiable { Ranges.Count: 1 }, "they are one range");
        Sample.Check(Sixteen() is ByteRanges.Satisfiable { Ranges.Count: ByteRanges.MaxCount }, "it is as many as may be");
    }

    [Benchmark]
    public ByteRanges None() => ByteRanges.Parse(_none, Sample.LayerBytes);

    [Benchmark]
    public ByteRanges One() => ByteRanges.Parse(_one, Sample.LayerBytes);

    [Benchmark]
    public ByteRanges Suffix() => ByteRanges.Parse(_suffix, Sample.LayerBytes);

    [Benchmark]
    public ByteRanges Sixteen() => ByteRanges.Parse(_many, Sample.LayerBytes);

    [Benchmark]
    public ByteRanges Nonsense() => ByteRanges.Parse(_nonsense, Sample.LayerBytes);
}
