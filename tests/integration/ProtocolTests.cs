using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>What goes over the wire, byte for byte where it matters.</summary>
public sealed class ProtocolTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private UpstreamFront _upstream = null!;
    private EntrepotProcess _entrepot = null!;

    public async Task InitializeAsync()
    {
        _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        var settings = EntrepotSettings.WithUpstream(_upstream.Url).Add("quay.io", _upstream.Url, ("Prefix", "quay"));
        _entrepot = await EntrepotProcess.StartNewAsync(settings);
    }

    public async Task DisposeAsync()
    {
        await _entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Fact]
    public async Task The_base_says_registry_2_0_on_GET_and_HEAD()
    {
        foreach (var path in new[] { "/v2", "/v2/" })
            foreach (var method in new[] { "GET", "HEAD" })
            {
                var answer = await SendAsync(method, path);
                Assert.Equal((200, "registry/2.0", "2"), (answer.Status, answer.Header("Docker-Distribution-Api-Version"), answer.Header("Content-Length")));
                Assert.Equal(method == "GET" ? "{}" : "", Encoding.UTF8.GetString(answer.Body));
            }
    }

    [Fact]
    public async Task A_manifest_has_the_same_exact_headers_on_GET_and_HEAD_by_tag_and_by_digest()
    {
        foreach (var image in new (string Name, Image Image)[] { ("small", fixture.Small), ("docker", fixture.DockerSmall), ("index", fixture.Index) })
            foreach (var reference in new[] { "1", image.Image.Digest })
                foreach (var method in new[] { "HEAD", "GET", "HEAD" })
                {
                    var answer = await SendAsync(method, $"/v2/library/{image.Name}/manifests/{reference}");
                    Assert.Equal(200, answer.Status);
                    Assert.Equal(image.Image.MediaType, answer.Header("Content-Type"));
                    Assert.Equal(image.Image.Digest, answer.Header("Docker-Content-Digest"));
                    Assert.Equal($"\"{image.Image.Digest}\"", answer.Header("ETag"));
                    Assert.Equal(image.Image.ManifestBytes.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), answer.Header("Content-Length"));
                    Assert.Equal("registry/2.0", answer.Header("Docker-Distribution-Api-Version"));
                    Assert.Null(answer.Header("Content-Encoding"));
                    if (method == "GET") Assert.Equal(image.Image.ManifestBytes.ToArray(), answer.Body);
                }
    }

    [Fact]
    public async Task A_blob_has_the_same_exact_headers_cold_and_hot_on_GET_and_HEAD()
    {
        foreach (var blob in fixture.Small.Blobs)
            for (var round = 0; round < 4; round++)
            {
                var answer = await SendAsync(round % 2 == 0 ? "HEAD" : "GET", $"/v2/library/small/blobs/{blob.Digest}");
                Assert.Equal(200, answer.Status);
                Assert.Equal("application/octet-stream", answer.Header("Content-Type"));
                Assert.Equal(blob.Digest, answer.Header("Docker-Content-Digest"));
                Assert.Equal($"\"{blob.Digest}\"", answer.Header("ETag"));
                Assert.Equal("bytes", answer.Header("Accept-Ranges"));
                Assert.Equal("max-age=31536000, immutable", answer.Header("Cache-Control"));
                Assert.Equal(blob.Size.ToString(System.Globalization.CultureInfo.InvariantCulture), answer.Header("Content-Length"));
                Assert.Null(answer.Header("Content-Encoding"));
                if (round % 2 == 1) Assert.Equal(blob.Size, answer.Body.Length);
            }
    }

    [Theory]
    [InlineData("POST", "/v2/library/small/blobs/uploads/")]
    [InlineData("PUT", "/v2/library/small/manifests/1")]
    [InlineData("PATCH", "/v2/library/small/blobs/uploads/abc")]
    [InlineData("DELETE", "/v2/library/small/manifests/1")]
    [InlineData("GET", "/v2/library/small/blobs/uploads/abc")]
    public async Task A_push_is_refused_as_unsupported(string method, string path)
    {
        var answer = await RawHttp.SendAsync(_entrepot.Port, $"{method} {path} HTTP/1.1", "Host: x", "Content-Length: 0", "Connection: close");
        Assert.Equal((405, "GET, HEAD"), (answer.Status, answer.Header("Allow")));
        Assert.Contains("\"code\":\"UNSUPPORTED\"", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/library/UPPER/manifests/1", 400, "NAME_INVALID")]
    [InlineData("/v2/library/small/blobs/sha256:abc", 400, "DIGEST_INVALID")]
    [InlineData("/v2/library/small/manifests/-bad", 400, "TAG_INVALID")]
    [InlineData("/v2/library/none/manifests/1", 404, "MANIFEST_UNKNOWN")]
    [InlineData("/v2/nothing", 404, "NAME_UNKNOWN")]
    [InlineData("/v2/library/small/manifests/1?ns=evil.example", 404, "NAME_UNKNOWN")]
    public async Task A_mistake_is_named_with_the_right_code_and_HEAD_has_no_body(string path, int status, string code)
    {
        var answer = await SendAsync("GET", path);
        Assert.Equal((status, "application/json", "nosniff"), (answer.Status, answer.Header("Content-Type"), answer.Header("X-Content-Type-Options")));
        Assert.Contains($"\"code\":\"{code}\"", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
        Assert.Equal(answer.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture), answer.Header("Content-Length"));
        var head = await SendAsync("HEAD", path);
        Assert.Equal((status, 0, answer.Header("Content-Length")), (head.Status, head.Body.Length, head.Header("Content-Length")));
    }

    [Theory]
    [InlineData(255, 400)]
    [InlineData(248, 400)]
    [InlineData(247, 404)]
    public async Task A_name_that_library_makes_too_long_is_refused_and_not_tried(int length, int status)
    {
        var answer = await SendAsync("GET", $"/v2/{new string('a', length)}/tags/list?ns=docker.io");
        Assert.Equal(status, answer.Status);
        Assert.Contains(status == 400 ? "\"code\":\"NAME_INVALID\"" : "\"code\":\"NAME_UNKNOWN\"", Encoding.UTF8.GetString(answer.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Root_path_prefix_short_prefix_and_ns_reach_the_same_image()
    {
        foreach (var path in new[]
        {
            "library/small/manifests/1", "small/manifests/1?ns=docker.io", "library/small/manifests/1?ns=index.docker.io", "docker.io/library/small/manifests/1", "docker.io/small/manifests/1",
            "quay.io/library/small/manifests/1", "quay/library/small/manifests/1", "library/small/manifests/1?ns=quay.io",
        })
        {
            var answer = await SendAsync("GET", "/v2/" + path);
            Assert.Equal((path, 200, fixture.Small.Digest), (path, answer.Status, answer.Header("Docker-Content-Digest")));
            if (path.Contains("?ns=", StringComparison.Ordinal)) Assert.Equal(path.Split("?ns=")[1], answer.Header("OCI-Namespace"));
            else Assert.Null(answer.Header("OCI-Namespace"));
        }
    }

    [Fact]
    public async Task If_None_Match_is_answered_304_with_the_headers_of_the_answer()
    {
        foreach (var path in new[] { "/v2/library/small/manifests/1", $"/v2/library/small/manifests/{fixture.Small.Digest}" })
        {
            await SendAsync("GET", path);
            var answer = await RawHttp.SendAsync(_entrepot.Port, $"GET {path} HTTP/1.1", "Host: x", $"If-None-Match: \"{fixture.Small.Digest}\"", "Connection: close");
            Assert.Equal((304, $"\"{fixture.Small.Digest}\""), (answer.Status, answer.Header("ETag")));
            Assert.Empty(answer.Body);
        }
    }

    [Fact]
    public async Task Ranges_are_served_the_same_cold_and_hot()
    {
        var layer = fixture.Little.Layers[0];
        using var all = new MemoryStream();
        await using (var stream = layer.Content.Open()) await stream.CopyToAsync(all);
        var bytes = all.ToArray();
        for (var round = 0; round < 2; round++)
        {
            foreach (var (range, start, length) in new (string, int, int)[] { ("0-99", 0, 100), ("500-1499", 500, 1000), ($"{bytes.Length - 10}-", bytes.Length - 10, 10), ("-7", bytes.Length - 7, 7), ($"5-{bytes.Length + 100}", 5, bytes.Length - 5) })
            {
                var answer = await RangeAsync(layer.Digest, "bytes=" + range);
                Assert.Equal((206, $"bytes {start}-{start + length - 1}/{bytes.Length}"), (answer.Status, answer.Header("Content-Range")));
                Assert.Equal(bytes[start..(start + length)], answer.Body);
            }
            foreach (var range in new[] { $"bytes={bytes.Length}-", "bytes=500-0", "bytes=-0" })
            {
                var refused = await RangeAsync(layer.Digest, range);
                Assert.Equal((416, $"bytes */{bytes.Length}", "0"), (refused.Status, refused.Header("Content-Range"), refused.Header("Content-Length")));
            }
            foreach (var range in new[] { "lines=1-2", "bytes=a-b", "bytes" }) Assert.Equal((200, bytes.Length), ((await RangeAsync(layer.Digest, range)).Status, (await RangeAsync(layer.Digest, range)).Body.Length));

            var multi = await RangeAsync(layer.Digest, "bytes=10-19,0-4,100-149");
            Assert.Equal(206, multi.Status);
            Assert.False(multi.EndedShort);
            var text = Encoding.Latin1.GetString(multi.Body);
            Assert.Equal(3, text.Split("Content-Range: bytes ").Length - 1);
            var (first, second, third) = (text.IndexOf("bytes 10-19/", StringComparison.Ordinal), text.IndexOf("bytes 0-4/", StringComparison.Ordinal), text.IndexOf("bytes 100-149/", StringComparison.Ordinal));
            Assert.True(0 < first && first < second && second < third);
            Assert.Contains(Encoding.Latin1.GetString(bytes[100..150]), text, StringComparison.Ordinal);
            await Eventually.Async(async () => (await SendAsync("HEAD", $"/v2/library/little/blobs/{layer.Digest}")).Header("X-Cache") == "HIT", TimeSpan.FromSeconds(10), "the layer to be stored");
        }
    }

    private Task<RawResponse> SendAsync(string method, string path) => RawHttp.SendAsync(_entrepot.Port, $"{method} {path} HTTP/1.1", "Host: x", "Connection: close");

    private Task<RawResponse> RangeAsync(string digest, string range) =>
        RawHttp.SendAsync(_entrepot.Port, $"GET /v2/library/little/blobs/{digest} HTTP/1.1", "Host: x", $"Range: {range}", "Connection: close");
}
