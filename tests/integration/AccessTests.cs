using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Bytes are shared by digest, access is per repository (ADR 0005).</summary>
public sealed class AccessTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>
{
    [Fact]
    public async Task Two_repositories_that_ask_for_the_same_cold_digest_at_once_each_get_their_own_truth()
    {
        var layer = fixture.Little.Layers[0];
        for (var round = 0; round < 6; round++)
        {
            await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
            upstream.Latency = TimeSpan.FromMilliseconds(50);
            upstream.Inject(Fault.Status(403), "/team/private/");
            await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
            string[] repositories = round % 2 == 0 ? ["team/private", "library/little"] : ["library/little", "team/private"];
            var reads = await Task.WhenAll(repositories.SelectMany(r => Enumerable.Repeat(r, 5))
                .Select(async r => (Repository: r, Read: await BlobReader.ReadBlobAsync(entrepot.Url, r, layer.Digest))));
            foreach (var (repository, read) in reads)
            {
                if (repository == "team/private")
                {
                    Assert.Equal(403, read.Status);
                    Assert.Contains("\"code\":\"DENIED\"", read.ErrorText, StringComparison.Ordinal);
                }
                else
                {
                    Assert.Equal((200, true, layer.Digest), (read.Status, read.Completed, read.Digest));
                }
            }
            upstream.Log.AssertNoByteTwice(layer.Digest, layer.Size);
        }
    }

    [Fact]
    public async Task A_digest_cached_through_a_private_upstream_is_404_through_another_with_the_same_headers_as_any_404()
    {
        await using var secret = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var other = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        other.Inject(Fault.Status(404));
        var settings = EntrepotSettings.WithUpstream(other.Url).Add("secret.test", secret.Url, ("Visibility", "Private"));
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var (layer, manifest) = (fixture.Little.Layers[0], fixture.Little.Digest);
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "secret.test/library/little", manifest)).Status);
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "secret.test/library/little", layer.Digest)).Digest);

        var (absentBlob, absentManifest) = ("sha256:" + new string('a', 64), "sha256:" + new string('b', 64));
        var pairs = new (string Path, string Absent)[]
        {
            ($"/v2/library/little/blobs/{layer.Digest}", $"/v2/library/little/blobs/{absentBlob}"),
            ($"/v2/library/little/manifests/{manifest}", $"/v2/library/little/manifests/{absentManifest}"),
        };
        foreach (var (path, absent) in pairs)
            foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
            {
                var options = new BlobReadOptions { Method = method };
                var held = await BlobReader.ReadAsync(new Uri(entrepot.Url, path), options);
                var never = await BlobReader.ReadAsync(new Uri(entrepot.Url, absent), options);
                Assert.Equal(404, held.Status);
                Assert.Equal(404, never.Status);
                Assert.Equal(never.Headers.Keys.Order(), held.Headers.Keys.Order());
                Assert.Equal(Comparable(never.Headers), Comparable(held.Headers));
            }

        static string Comparable(IReadOnlyDictionary<string, string> headers) =>
            string.Join('\n', headers.Where(h => h.Key is not "Date").OrderBy(h => h.Key).Select(h => $"{h.Key}: {h.Value}"));
    }

    [Fact]
    public async Task Another_domain_that_has_the_digest_downloads_it_itself_before_it_serves_it()
    {
        await using var secret = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var open = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(open.Url).Add("secret.test", secret.Url, ("Visibility", "Private"));
        await using var entrepot = await EntrepotProcess.StartNewAsync(settings);
        var layer = fixture.Little.Layers[0];
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "secret.test/library/little", layer.Digest)).Digest);
        await BlobReader.ReadManifestAsync(entrepot.Url, "library/little", "1"); // An assertion: it lists the digest.
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest)).Digest);
        open.Log.AssertNoByteTwice(layer.Digest, layer.Size);
        await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest)).XCache == "HIT", TimeSpan.FromSeconds(10), "the second pull to be a hit");
    }

    [Fact]
    public async Task The_same_blob_in_another_repository_of_the_domain_is_confirmed_by_HEAD_and_not_downloaded_again()
    {
        await using var upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        await using var entrepot = await EntrepotProcess.StartNewAsync(EntrepotSettings.WithUpstream(upstream.Url));
        var layer = fixture.Little.Layers[0];
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest)).Digest);
        await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(entrepot.Url, "library/little", layer.Digest)).XCache == "HIT", TimeSpan.FromSeconds(10), "the blob to be stored");
        upstream.Log.Clear();
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "team/private", layer.Digest)).Digest);
        Assert.Equal(["HEAD"], upstream.Log.All.Select(r => r.Method));
        Assert.Equal(404, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/small", layer.Digest)).Status);
    }
}
