using BenchmarkDotNet.Attributes;
using Entrepot.Oci;

namespace Entrepot.Bench.Micro;

/// <summary>The Accept header, once for each index that is pulled by tag.</summary>
public class AcceptBenchmarks
{
    private readonly string _containerd = $"{MediaTypes.DockerManifest}, {MediaTypes.DockerManifestList}, {MediaTypes.OciManifest}, {MediaTypes.OciIndex}, */*";
    private readonly string _imagesOnly = $"{MediaTypes.DockerManifest}, {MediaTypes.OciManifest}, {MediaTypes.DockerSchema1Signed}, {MediaTypes.DockerSchema1}, application/json";
    private readonly string _weighted = $"{MediaTypes.OciManifest};q=1.0, {MediaTypes.DockerManifest};q=0.9, text/html;level=1;q=0.5, {MediaTypes.OciIndex};q=0.4";
    private readonly string _none = "";

    [GlobalSetup]
    public void Setup() => Sample.Check(Containerd() && WithWeights() && None() && !ImagesOnly(), "the first three take an index");

    [Benchmark]
    public bool Containerd() => AcceptHeader.AllowsIndex(_containerd);

    [Benchmark]
    public bool WithWeights() => AcceptHeader.AllowsIndex(_weighted);

    [Benchmark]
    public bool ImagesOnly() => AcceptHeader.AllowsIndex(_imagesOnly);

    [Benchmark]
    public bool None() => AcceptHeader.AllowsIndex(_none);
}
