using System.Text;
using Entrepot.Cluster;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Entrepot.UnitTests.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Cluster;

/// <summary>What an answer to a GET says of the object, of the others, and of the store.</summary>
public sealed class S3BlobStoreTests
{
    private static readonly StoredBlob Blob = new(Digest.Sha256Of("one"u8), 1, 3), Other = new(Digest.Sha256Of("two"u8), 1, 3);

    [Theory]
    [InlineData(404, "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><BucketName>entrepot</BucketName></Error>")]
    [InlineData(404, "<?xml version=\"1.0\"?><Error><Code>NoSuchBucket</Code></Error>")]
    [InlineData(416, "<?xml version=\"1.0\"?><Error><Code>InvalidRange</Code></Error>")]
    public async Task Of_what_is_gone_the_store_itself_says_so(int status, string body)
    {
        await using var server = await AnswerAsync(status, body);
        using var store = NewStore(server.Url);
        Assert.Null(await store.OpenOrNullAsync(Blob, 0, 3, CancellationToken.None));
    }

    [Theory]
    [InlineData(404, "<html><body>404 page not found</body></html>")]
    [InlineData(404, "")]
    [InlineData(403, "<?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code></Error>")]
    [InlineData(500, "")]
    [InlineData(503, "<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>")]
    public async Task Any_other_answer_says_nothing_of_the_object_and_keeps_nobody_from_the_others(int status, string body)
    {
        await using var server = await AnswerAsync(status, body);
        using var store = NewStore(server.Url);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.OpenOrNullAsync(Blob, 0, 3, CancellationToken.None));
        using var opened = await store.OpenOrNullAsync(Other, 0, 3, CancellationToken.None);
        Assert.NotNull(opened);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_before_it_has_said_why_says_nothing_of_the_object()
    {
        await using var server = await FakeRegistry.StartAsync(async (http, _) =>
        {
            http.Response.StatusCode = 404;
            http.Response.ContentLength = 100;
            await http.Response.WriteAsync("<Error>");
            await http.Response.Body.FlushAsync();
            http.Abort();
        });
        using var store = NewStore(server.Url);
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.OpenOrNullAsync(Blob, 0, 3, CancellationToken.None));
    }

    [Fact]
    public async Task A_store_that_is_not_reached_is_not_asked_again_by_everybody()
    {
        var server = await AnswerAsync(500, "");
        using var store = NewStore(server.Url);
        await server.DisposeAsync();
        for (var i = 0; i < 2; i++)
        {
            var e = await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.OpenOrNullAsync(i == 0 ? Blob : Other, 0, 3, CancellationToken.None));
            Assert.Equal(i == 0, e.InnerException is HttpRequestException);
        }
    }

    /// <summary>A server that has all objects but <see cref="Blob"/>.</summary>
    private static Task<FakeRegistry> AnswerAsync(int status, string body) => FakeRegistry.StartAsync(async (http, _) =>
    {
        if (!http.Request.Path.Value!.Contains(Blob.Digest.ToString()["sha256:".Length..], StringComparison.Ordinal))
        {
            http.Response.StatusCode = 206;
            http.Response.Headers.ContentRange = "bytes 0-2/3";
            await http.Response.WriteAsync("two");
            return;
        }
        http.Response.StatusCode = status;
        await http.Response.WriteAsync(body, Encoding.UTF8);
    });

    internal static S3BlobStore NewStore(Uri url) => new(new StoreSettings { Endpoint = url, AccessKey = "k", SecretKey = "s" }, new Uploads(null!), TimeProvider.System);
}
