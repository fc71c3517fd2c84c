using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What an upstream can do wrong with a manifest: it is an error that says so, and the next pull works once it is well.</summary>
public sealed class SpoiltManifestTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Theory]
    [InlineData("html with 200", 502, "MANIFEST_INVALID")]
    [InlineData("wrong Docker-Content-Digest", 502, "MANIFEST_INVALID")]
    [InlineData("last byte flipped", 502, "MANIFEST_INVALID")]
    [InlineData("404", 404, "MANIFEST_UNKNOWN")]
    [InlineData("401", 403, "DENIED")]
    [InlineData("403", 403, "DENIED")]
    [InlineData("429", 429, "TOOMANYREQUESTS")]
    [InlineData("500", 503, "UNAVAILABLE")]
    [InlineData("drop", 503, "UNAVAILABLE")]
    public async Task A_spoilt_manifest_is_an_error_with_its_reason_and_is_pulled_again_when_the_upstream_is_well(string fault, int status, string code)
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(
            EntrepotSettings.WithUpstream(upstream.Url).Add(EntrepotSettings.DefaultUpstream, upstream.Url, ("NotFoundTtl", "2s")));
        upstream.Inject(UpstreamFaults.Named(fault), "/manifests/");
        foreach (var reference in new[] { "1", fixture.Small.Digest })
        {
            var spoilt = await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", reference);
            Assert.Equal(status, spoilt.Status);
            Assert.Contains($"\"code\":\"{code}\"", spoilt.ErrorText, StringComparison.Ordinal);
        }
        upstream.HealAll();
        foreach (var reference in new[] { "1", fixture.Small.Digest })
            await Eventually.Async(async () => (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", reference)).Digest == fixture.Small.Digest,
                TimeSpan.FromSeconds(20), $"{reference} to work again");
    }
}
