using System.Collections.Concurrent;
using Entrepot.Cluster;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Entrepot.TestSupport.Running;
using Entrepot.UnitTests.Metadata;
using Entrepot.UnitTests.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Cluster;

/// <summary>Uploads in parts to a server that fails at the worst moments.</summary>
public sealed class S3UploadTests() : DatabaseFacts(new SqliteTestServer()), IAsyncLifetime
{
    private static readonly byte[] Bytes = [1, 2, 3, 4];
    private readonly TempFolder _folder = new("s3");
    private readonly ConcurrentQueue<string> _calls = new();
    private Func<string, (int Status, string Body)> _answer = _ => (200, "");
    private FakeRegistry _server = null!;
    private S3BlobStore _store = null!;
    private Uploads _uploads = null!;

    private static StoredBlob Stored { get; } = new(Entrepot.Oci.Digest.Sha256Of(Bytes), 7, Bytes.Length);

    public new async Task InitializeAsync()
    {
        await base.InitializeAsync();
        _server = await FakeRegistry.StartAsync(AnswerAsync);
        _uploads = new Uploads(Database);
        _store = new S3BlobStore(new StoreSettings { Endpoint = _server.Url, AccessKey = "a", SecretKey = "s", MultipartFrom = 1 }, _uploads, TimeProvider.System);
    }

    public new async Task DisposeAsync()
    {
        _store.Dispose();
        await _server.DisposeAsync();
        _folder.Dispose();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task An_upload_that_broke_off_is_ended_before_another_begins()
    {
        using var spool = await FilledAsync();
        _answer = call => call == "begin" ? (200, Begun("first")) : (503, "");
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.StoreAsync(spool, Stored, None));
        _calls.Clear();
        _answer = call => call == "begin" ? (200, Begun("second")) : (200, "<CompleteMultipartUploadResult/>");
        await _store.StoreAsync(spool, Stored, None);
        Assert.Equal(["abort first", "begin", "part second", "complete second"], _calls);
        Assert.Equal(0, await CountAsync("uploads"));
    }

    [Fact]
    public async Task An_upload_whose_completion_was_done_and_not_answered_is_found_complete()
    {
        using var spool = await FilledAsync();
        _answer = call => call switch
        {
            "begin" => (200, Begun("first")),
            "complete first" when _calls.Count(c => c == call) > 1 => (404, "<Error><Code>NoSuchUpload</Code></Error>"),
            "complete first" => (500, "<Error><Code>InternalError</Code></Error>"),
            _ => (200, ""),
        };
        await _store.StoreAsync(spool, Stored, None);
        Assert.Equal("look", _calls.Last());
        Assert.False(File.Exists(spool.Path));
    }

    [Fact]
    public async Task A_bucket_that_has_vanished_is_made_again_for_an_upload_in_parts()
    {
        using var spool = await FilledAsync();
        _answer = call => call switch
        {
            "begin" when _calls.Count(c => c == "begin") == 1 => (404, "<Error><Code>NoSuchBucket</Code></Error>"),
            "begin" => (200, Begun("second")),
            "look" => (404, ""),
            _ => (200, "<CompleteMultipartUploadResult/>"),
        };
        await Assert.ThrowsAsync<StoreUnavailableException>(() => _store.StoreAsync(spool, Stored, None));
        // A bucket is made by a PUT without an upload's id.
        Assert.Contains("part ", _calls);
        await _store.StoreAsync(spool, Stored, None);
        Assert.Equal("complete second", _calls.Last());
    }

    [Theory]
    [InlineData(403)]
    [InlineData(501)]
    public async Task An_upload_that_the_server_will_not_list_or_end_holds_up_no_other(int status)
    {
        await _uploads.AddAsync(Digest(1), 1, None);
        await _uploads.AddAsync(Digest(2), 2, None);
        await _uploads.NameAsync(Digest(2), 2, "refused", None);
        await _uploads.AddAsync(Digest(3), 3, None);
        await _uploads.NameAsync(Digest(3), 3, "ended", None);
        _answer = call => call switch
        {
            "list" => (status, "<Error><Code>NotImplemented</Code></Error>"),
            "abort refused" => (403, "<Error><Code>AccessDenied</Code></Error>"),
            _ => (204, ""),
        };
        Assert.Equal(2, await _store.RemoveHalfStoredAsync(TimeSpan.Zero, None));
        Assert.Equal(["refused"], (await _uploads.FindAbandonedAsync(TimeSpan.Zero, None)).Select(u => u.Id));
        await Assert.ThrowsAsync<IOException>(() => _store.RemoveHalfStoredAsync(TimeSpan.Zero, None));
    }

    private static string Begun(string id) => $"<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>";

    private async Task AnswerAsync(HttpContext context, FakeRegistry self)
    {
        var (request, id) = (context.Request, context.Request.Query["uploadId"].ToString());
        var call = request.Method switch
        {
            "POST" => id.Length > 0 ? $"complete {id}" : "begin",
            "PUT" => $"part {id}",
            "DELETE" => $"abort {id}",
            "HEAD" => "look",
            _ => "list",
        };
        _calls.Enqueue(call);
        await request.Body.CopyToAsync(Stream.Null);
        var (status, body) = _answer(call);
        context.Response.StatusCode = status;
        if (call.StartsWith("part", StringComparison.Ordinal)) context.Response.Headers.ETag = "\"tag\"";
        if (call == "look") context.Response.ContentLength = Bytes.Length;
        else if (body.Length > 0) await context.Response.WriteAsync(body);
    }

    private async Task<Spool> FilledAsync()
    {
        var spool = new SpoolFolder(_folder.FullPath, TimeProvider.System).Create(Guid.NewGuid(), Stored.Fence, Stored.Digest, () => true);
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", Bytes.Length));
        await spool.WriteAsync(0, Bytes, None);
        return spool;
    }
}
