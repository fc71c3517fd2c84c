using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Docker schema 1 with its signatures: passed on byte for byte under the digest of what was signed.</summary>
public sealed class SignedManifestTests
{
    private const string Old = "team/old";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_signed_schema_1_is_served_verbatim_by_tag_and_digest_and_outlives_its_upstream(bool byTagFirst)
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        await using var upstream = await UpstreamFront.StartNewAsync(registry.Url);
        var layer = Encoding.UTF8.GetBytes(new string('l', 100_000));
        var signed = SignedSchema1.Of([registry.Repository(Old).AddBlob(layer), Content.DigestOf(layer)]);
        registry.Repository(Old).AddManifest(new MemoryManifest(signed.Body, SignedSchema1.MediaType, signed.Digest, SaysDigest: true), "1");
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));

        foreach (var reference in byTagFirst ? ["1", signed.Digest] : new[] { signed.Digest, "1" })
        {
            await AssertServedAsync(entrepot, signed, "GET", reference);
            await AssertServedAsync(entrepot, signed, "HEAD", reference);
        }

        // Schema 1 says no sizes: the layer's is found out.
        var cold = await BlobReader.ReadBlobAsync(entrepot.Url, Old, Content.DigestOf(layer));
        Assert.Equal((200, Content.DigestOf(layer), (long)layer.Length, true), (cold.Status, cold.Digest, cold.BytesRead, cold.Completed));
        Assert.Single(upstream.Log.Matching("/v2/team/old/manifests/", "GET"));

        await upstream.StopAsync();
        await entrepot.RestartAsync();
        foreach (var reference in new[] { "1", signed.Digest }) await AssertServedAsync(entrepot, signed, "GET", reference);
        var hot = await BlobReader.ReadBlobAsync(entrepot.Url, Old, Content.DigestOf(layer));
        Assert.Equal((200, Content.DigestOf(layer), "HIT"), (hot.Status, hot.Digest, hot.XCache));
    }

    [Fact]
    public async Task A_field_beside_what_was_signed_is_refused_by_tag_and_by_digest()
    {
        await using var registry = await MemoryRegistry.StartNewAsync();
        var signed = SignedSchema1.Of([Content.DigestOf("good"u8)]);
        var tampered = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(signed.Body)
            .Replace("\"signatures\":", $"\"fsLayers\": [{{\"blobSum\":\"{Content.DigestOf("evil"u8)}\"}}], \"signatures\":", StringComparison.Ordinal));
        registry.Repository(Old).AddManifest(new MemoryManifest(tampered, SignedSchema1.MediaType, signed.Digest, SaysDigest: true), "1");
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(registry.Url));

        foreach (var reference in new[] { "1", signed.Digest })
        {
            var refused = await BlobReader.ReadManifestAsync(entrepot.Url, Old, reference);
            Assert.Equal(502, refused.Status);
            Assert.Contains("not what was signed", refused.ErrorText, StringComparison.Ordinal);
        }
    }

    private static async Task AssertServedAsync(EntrepotProcess entrepot, SignedSchema1 signed, string method, string reference)
    {
        var answer = await RawHttp.SendAsync(entrepot.Port, $"{method} /v2/{Old}/manifests/{reference} HTTP/1.1", "Host: x", "Connection: close");
        Assert.Equal(
            (200, SignedSchema1.MediaType, signed.Digest, $"\"{signed.Digest}\"", $"{signed.Body.Length}"),
            (answer.Status, answer.Header("Content-Type"), answer.Header("Docker-Content-Digest"), answer.Header("ETag"), answer.Header("Content-Length")));
        Assert.Equal(method == "HEAD" ? [] : signed.Body, answer.Body);
    }
}
