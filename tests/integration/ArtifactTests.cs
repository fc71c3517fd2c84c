using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>OCI artifacts, and what is attached to an image, asked for as oras, cosign and skopeo do.</summary>
public sealed class ArtifactTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const string Repository = "library/attached";
    private static readonly Image Subject = ImageMaker.Small("an image that others refer to");
    private static readonly byte[] SbomBytes = Encoding.UTF8.GetBytes("""{"spdxVersion":"SPDX-2.3"}""");
    private static readonly byte[] ChartBytes = Encoding.UTF8.GetBytes("what a chart's archive would be");
    private static readonly Image Sbom = ArtifactMaker.Artifact(ArtifactMaker.SbomType, ArtifactMaker.SbomType, SbomBytes, Subject);
    private static readonly Image Signature = ArtifactMaker.Artifact(ArtifactMaker.SignatureType, "application/jose+json", "{}"u8.ToArray(), Subject);
    private static readonly Image Chart = ArtifactMaker.Artifact("application/vnd.example.chart.v1", "application/vnd.example.chart.content.v1.tar+gzip", ChartBytes);
    private static readonly Image Cosign = ArtifactMaker.CosignSignature(Subject);

    public async Task InitializeAsync()
    {
        await fixture.Registry.PushAsync(Subject, Repository);
        await fixture.Registry.PushAsync(Chart, "library/chart");
        await fixture.Registry.PushAsync(ArtifactMaker.FallbackIndex(Signature, Sbom), Repository, ArtifactMaker.FallbackTag(Subject));
        await fixture.Registry.PushAsync(Cosign, Repository, ArtifactMaker.CosignTag(Subject));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [ClientFact(DebianRegistryCommand)]
    public async Task An_artifact_is_pulled_as_oras_does_cold_and_then_hot()
    {
        await ColdThenHot.RunAsync(fixture, async mirror =>
        {
            using var oras = new OrasStyleClient(mirror, "docker.io/library/chart");
            var (manifest, layers) = await oras.PullAsync("1");
            Assert.Equal(new OrasDescriptor(MediaTypes.OciManifest, Chart.Digest, Chart.ManifestBytes.Length), manifest);
            Assert.Equal(ChartBytes, Assert.Single(layers));
            return manifest;
        });
    }

    [ClientFact(Skopeo.Command)]
    public async Task An_artifact_is_copied_by_skopeo_cold_and_then_hot() =>
        Assert.Equal(Chart.Digest, await ColdThenHot.RunAsync(fixture, async mirror => (await Skopeo.PullAsync(mirror, "library/chart:1")).Digest));

    [ClientFact(DebianRegistryCommand)]
    public async Task Signatures_and_SBOMs_are_discovered_by_the_referrers_API_of_a_registry_that_has_none()
    {
        await ColdThenHot.RunAsync(fixture, async mirror =>
        {
            using var oras = new OrasStyleClient(mirror, Repository);
            var subject = await oras.ResolveAsync("1");
            Assert.Equal(Subject.Digest, subject.Digest);
            await oras.FetchManifestAsync(subject);

            var all = await oras.ReferrersAsync(subject.Digest);
            Assert.Equal([Signature.Digest, Sbom.Digest], all.Select(referrer => referrer.Digest));
            var sbom = Assert.Single(await oras.ReferrersAsync(subject.Digest, ArtifactMaker.SbomType));
            Assert.Equal(new OrasDescriptor(MediaTypes.OciManifest, Sbom.Digest, Sbom.ManifestBytes.Length, ArtifactMaker.SbomType), sbom);
            Assert.Equal(Sbom.ManifestBytes.ToArray(), await oras.FetchManifestAsync(sbom));
            Assert.Equal(SbomBytes, Assert.Single((await oras.PullAsync(sbom.Digest)).Layers));
            Assert.Empty(await oras.ReferrersAsync(subject.Digest, "application/vnd.example.nobody.has.this"));
            return all.Count;
        });
    }

    [ClientFact(DebianRegistryCommand)]
    public async Task A_cosign_signature_is_found_by_its_tag_cold_and_then_hot()
    {
        await ColdThenHot.RunAsync(fixture, async mirror =>
        {
            using var cosign = new OrasStyleClient(mirror, Repository);
            await cosign.ResolveAsync("1");
            var (descriptor, bytes) = await cosign.FetchReferenceAsync(ArtifactMaker.CosignTag(Subject));
            Assert.Equal(Cosign.Digest, descriptor.Digest);
            Assert.Equal(Cosign.ManifestBytes.ToArray(), bytes);
            var payload = Assert.Single((await cosign.PullAsync(descriptor.Digest)).Layers);
            Assert.Contains(Subject.Digest, Encoding.UTF8.GetString(payload), StringComparison.Ordinal);
            await cosign.FetchReferenceAsync("1");
            return descriptor;
        });
    }

    [ClientFact(DebianRegistryCommand)]
    public async Task An_image_without_signature_is_404_for_cosign_and_without_referrers_an_empty_index_for_oras()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        using var client = new OrasStyleClient(entrepot.Url, "library/small");
        var subject = await client.ResolveAsync("1");
        var unsigned = await Assert.ThrowsAsync<HttpRequestException>(() => client.FetchReferenceAsync(ArtifactMaker.CosignTag(fixture.Small)));
        Assert.Equal(System.Net.HttpStatusCode.NotFound, unsigned.StatusCode);
        Assert.Empty(await client.ReferrersAsync(subject.Digest));
    }

    [ClientFact(DebianRegistryCommand)]
    public async Task The_client_that_stands_in_for_oras_refuses_what_oras_refuses()
    {
        // Against the upstream itself, with faults: a stand-in that takes everything would show nothing.
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        using var oras = new OrasStyleClient(upstream.Url, "library/chart");
        var (manifest, _) = await oras.PullAsync("1");
        var blob = new OrasDescriptor("application/octet-stream", Chart.Layers[0].Digest, Chart.Layers[0].Size);

        async Task RefusesAsync(Fault fault, string path, Func<Task> request)
        {
            upstream.Inject(fault, path);
            await Assert.ThrowsAsync<InvalidDataException>(request);
            upstream.HealAll();
        }

        await RefusesAsync(Fault.WrongDigestHeader(), "/manifests/", () => oras.FetchManifestAsync(manifest));
        await RefusesAsync(Fault.WrongDigestHeader(), "/manifests/", () => oras.ResolveAsync(manifest.Digest));
        await RefusesAsync(Fault.NoContentLength(), "/manifests/", () => oras.FetchReferenceAsync("1"));
        await RefusesAsync(Fault.Html200(), "/manifests/", () => oras.FetchManifestAsync(manifest));
        await RefusesAsync(Fault.FlipByte(3), "/blobs/", () => oras.FetchBlobAsync(blob));
        await RefusesAsync(Fault.ShortBody(), "/blobs/", () => oras.FetchBlobAsync(blob));
        await Assert.ThrowsAsync<HttpRequestException>(() => oras.ReferrersAsync(manifest.Digest));
    }

    private const string DebianRegistryCommand = Entrepot.TestSupport.Registry.DebianRegistry.Command;
}
