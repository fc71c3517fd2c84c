using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>An upstream like Docker Hub: tokens, a CDN behind redirects, private repositories.</summary>
public sealed class HubTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Fact]
    public async Task One_token_per_repository_one_GET_per_blob_and_nothing_secret_to_the_CDN()
    {
        await using var hub = await HubImitation.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(hub.Url));
        foreach (var (name, image) in new[] { ("library/small", fixture.Small), ("library/forty", fixture.Forty), ("library/medium", fixture.Medium) })
        {
            Assert.Equal(image.Digest, (await BlobReader.ReadManifestAsync(entrepot.Url, name, "1")).Digest);
            foreach (var read in await Task.WhenAll(image.Blobs.Select(b => BlobReader.ReadBlobAsync(entrepot.Url, name, b.Digest)))) Assert.Equal((200, true), (read.Status, read.Completed));
            Assert.Equal(1, hub.TokensGiven(name));
            Assert.All(image.Blobs, b => Assert.Single(hub.Registry.Log.Matching($"{name}/blobs/{b.Digest}", "GET"), r => r.Status == 307));
            Assert.All(image.Blobs, b => hub.Cdn.Log.AssertNoByteTwice(b.Digest, b.Size));
        }
        Assert.All(hub.Cdn.Log.All, r => Assert.False(r.HasAuthorization));
        Assert.DoesNotContain("sig=", entrepot.LogText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Credentials_open_a_private_repository_and_appear_in_no_log()
    {
        await using var hub = await HubImitation.StartNewAsync(fixture.Registry.Url);
        hub.MakePrivate("team/private", "robot:s3cr3t-Passw0rd");
        var settings = EntrepotSettings.WithUpstream(hub.Url).Add("secret.test", hub.Url, ("Username", "robot"), ("Password", "s3cr3t-Passw0rd"));
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        Assert.Equal(403, (await BlobReader.ReadManifestAsync(entrepot.Url, "team/private", "1")).Status);
        Assert.Equal(fixture.Small.Digest, (await BlobReader.ReadManifestAsync(entrepot.Url, "secret.test/team/private", "1")).Digest);
        foreach (var blob in fixture.Small.Blobs) Assert.Equal(blob.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "secret.test/team/private", blob.Digest)).Digest);
        Assert.DoesNotContain("s3cr3t", entrepot.LogText, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String("robot:s3cr3t-Passw0rd"u8), entrepot.LogText, StringComparison.Ordinal);
        Assert.DoesNotContain("Bearer ", entrepot.LogText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_that_expired_is_replaced_behind_the_clients_back()
    {
        await using var hub = await HubImitation.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(hub.Url));
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/small", "1")).Status);
        hub.ForgetTokens();
        foreach (var blob in fixture.Small.Blobs) Assert.Equal(blob.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/small", blob.Digest)).Digest);
        Assert.Equal(2, hub.TokensGiven("library/small"));
    }
}
