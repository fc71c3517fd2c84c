using System.Net.Sockets;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Registry;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.UnitTests.Support;

public sealed class UpstreamFrontTests : IAsyncLifetime
{
    private const string Repository = "library/faulty";
    private readonly Image _image = ImageMaker.FromLayers([LayerMaker.Incompressible(1 << 20, seed: 5)]);
    private DebianRegistry? _registry;
    private UpstreamFront _front = null!;

    private string Digest => _image.Layers[0].Digest;

    private long Size => _image.Layers[0].Size;

    public async Task InitializeAsync()
    {
        if (InstalledCommand.Find(DebianRegistry.Command) is null) return; // Every fact below says so, as a skip or as a failure.
        _registry = await DebianRegistry.StartNewAsync();
        await _registry.PushAsync(_image, Repository);
        _front = await UpstreamFront.StartNewAsync(_registry.Url);
    }

    public async Task DisposeAsync()
    {
        if (_registry is null) return;
        await _front.DisposeAsync();
        await _registry.DisposeAsync();
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task Without_faults_everything_passes_and_is_recorded()
    {
        var manifest = await BlobReader.ReadManifestAsync(_front.Url, Repository, "1");
        var head = await BlobReader.ReadManifestAsync(_front.Url, Repository, "1", new() { Method = HttpMethod.Head });
        var first = await ReadAsync("bytes=0-99");
        var rest = await ReadAsync("bytes=100-");
        Assert.Equal(_image.Digest, manifest.Digest);
        Assert.Equal(_image.MediaType, manifest.Headers["Content-Type"]);
        Assert.Equal((200, 0, BodyEnd.Whole), (head.Status, head.BytesRead, head.End));
        Assert.Equal((206, 100, "bytes 0-99/" + Size), (first.Status, first.BytesRead, first.Headers["Content-Range"]));
        Assert.Equal(Size - 100, rest.BytesRead);
        await _front.Log.SettleAsync();
        _front.Log.AssertNoByteTwice(Digest, Size);
        Assert.Equal([(0L, 99L, 100L), (100L, Size - 1, Size - 100)], _front.Log.BlobRanges(Digest).Select(span => (span.From, span.To, span.BytesSent)));
        Assert.All(_front.Log.All, record => Assert.True(record is { Completed: true, HasAuthorization: false, FinishedAt: not null }, record.ToString()));
        Assert.Equal(["GET", "HEAD", "GET", "GET"], _front.Log.All.Select(record => record.Method));
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task A_byte_that_is_sent_twice_or_never_is_found_in_the_log()
    {
        await ReadAsync("bytes=0-99");
        Assert.Contains("never sent", Assert.Throws<InvalidOperationException>(() => _front.Log.AssertNoByteTwice(Digest, Size)).Message, StringComparison.Ordinal);
        _front.Log.AssertNoByteTwice(Digest, Size, complete: false);
        await ReadAsync("bytes=99-");
        Assert.Contains("bytes 99 to 99 were sent twice", Assert.Throws<InvalidOperationException>(() => _front.Log.AssertNoByteTwice(Digest, Size)).Message, StringComparison.Ordinal);
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task A_flipped_last_byte_spoils_the_answer_that_has_it_and_no_other()
    {
        var fault = _front.Inject(Fault.FlipByte(), "/blobs/", count: 1);
        var first = await ReadAsync("bytes=0-99");
        Assert.Equal(0, fault.Hits);
        var bad = await ReadAsync();
        var good = await ReadAsync();
        Assert.Equal((206, BodyEnd.Whole), (first.Status, first.End));
        Assert.Equal((200, Size, BodyEnd.Whole), (bad.Status, bad.BytesRead, bad.End));
        Assert.NotEqual(Digest, bad.Digest);
        Assert.Equal(Digest, good.Digest);
        Assert.Equal(1, fault.Hits);
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task One_byte_too_many_and_some_too_few_agree_with_their_content_length()
    {
        _front.Inject(Fault.ExtraByte(), "/blobs/", count: 1);
        var longer = await ReadAsync();
        _front.Inject(Fault.ShortBody(10), "/blobs/", count: 1);
        var shorter = await ReadAsync();
        Assert.Equal((Size + 1, BodyEnd.Whole), (longer.BytesRead, longer.End));
        Assert.Equal((Size - 10, BodyEnd.Whole), (shorter.BytesRead, shorter.End));
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task A_cut_answer_brings_exactly_the_bytes_before_the_position()
    {
        _front.Inject(Fault.Truncate(at: 300_000), "/blobs/", count: 1);
        var cut = await ReadAsync();
        _front.Inject(Fault.Reset(at: 700_000), "/blobs/", count: 1);
        var reset = await ReadAsync("bytes=300000-");
        Assert.Equal((200, 300_000, BodyEnd.Early), (cut.Status, cut.BytesRead, cut.End));
        Assert.Equal((206, 400_000, BodyEnd.Reset), (reset.Status, reset.BytesRead, reset.End));
        await _front.Log.SettleAsync();
        Assert.Equal([300_000, 400_000], _front.Log.BlobRanges(Digest).Select(span => span.BytesSent));
        Assert.All(_front.Log.All, record => Assert.False(record.Completed));
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task A_hanging_upstream_says_nothing_until_it_is_healed()
    {
        var before = _front.Inject(Fault.HangBeforeHeaders(), "/blobs/");
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => BlobReader.ReadBlobAsync(_front.Url, Repository, Digest, cancellationToken: patience.Token));
        before.Heal();
        var middle = _front.Inject(Fault.HangMidBody(at: 500_000), "/blobs/");
        var reading = ReadAsync();
        await Eventually.Async(() => _front.Log.BlobBytes(Digest) == 500_000, TimeSpan.FromSeconds(10), "half of the blob to be sent");
        Assert.False(reading.IsCompleted);
        middle.Heal();
        Assert.Equal(Digest, (await reading).Digest);
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task Answers_that_are_not_the_blob()
    {
        _front.Inject(Fault.Html200(), count: 1);
        var page = await ReadAsync();
        _front.Inject(Fault.Status(429, TimeSpan.FromSeconds(7)), count: 1);
        var limited = await ReadAsync();
        _front.Inject(Fault.WrongDigestHeader(), count: 1);
        var lying = await ReadAsync();
        _front.Inject(Fault.Drop()); // More than once: HttpClient itself asks again when a connection ends before any answer.
        await Assert.ThrowsAsync<HttpRequestException>(() => ReadAsync());
        Assert.Equal((200, "text/html"), (page.Status, page.Headers["Content-Type"]));
        Assert.Equal((429, "7"), (limited.Status, limited.Headers["Retry-After"]));
        Assert.Contains("TOOMANYREQUESTS", limited.ErrorText, StringComparison.Ordinal);
        Assert.Equal((Digest, "sha256:" + new string('0', 64)), (lying.Digest, lying.Headers["Docker-Content-Digest"]));
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task Length_and_range_can_be_missing()
    {
        _front.Inject(Fault.NoContentLength(), count: 1);
        var chunked = await ReadAsync();
        _front.Inject(Fault.IgnoreRange(), count: 1);
        var whole = await ReadAsync("bytes=0-99");
        Assert.Equal((Digest, false), (chunked.Digest, chunked.Headers.ContainsKey("Content-Length")));
        Assert.Equal((200, Size), (whole.Status, whole.BytesRead));
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task Rate_and_latency_are_kept()
    {
        _front.BytesPerSecond = 2 << 20;
        _front.Latency = TimeSpan.FromMilliseconds(80);
        var read = await ReadAsync();
        Assert.InRange(read.HeadersAt - read.StartedAt, TimeSpan.FromMilliseconds(75), TimeSpan.FromSeconds(2));
        Assert.InRange(read.Elapsed, TimeSpan.FromMilliseconds(450), TimeSpan.FromSeconds(4));
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task A_front_or_a_registry_that_is_down_refuses_connections_and_comes_back_on_its_port()
    {
        await _front.StopAsync();
        await _registry!.StopAsync();
        foreach (var url in new[] { _front.Url, _registry.Url })
        {
            var error = await Assert.ThrowsAsync<HttpRequestException>(() => BlobReader.ReadBlobAsync(url, Repository, Digest));
            Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(error.InnerException).SocketErrorCode);
        }

        await _registry.StartAsync();
        await _front.StartAsync();
        Assert.Equal(Digest, (await ReadAsync()).Digest);
    }

    [ClientFact(DebianRegistry.Command)]
    public async Task A_slow_reader_gets_its_rate_and_one_who_stops_is_gone()
    {
        var slow = await BlobReader.ReadBlobAsync(_front.Url, Repository, Digest, new() { BytesPerSecond = 2 << 20 });
        var gone = await BlobReader.ReadBlobAsync(_front.Url, Repository, Digest, new() { StopAfter = 1000 });
        Assert.InRange(slow.Elapsed, TimeSpan.FromMilliseconds(450), TimeSpan.FromSeconds(4));
        Assert.Equal(Digest, slow.Digest);
        Assert.Equal((1000, BodyEnd.GivenUp), (gone.BytesRead, gone.End));
    }

    private Task<BlobRead> ReadAsync(string? range = null) => BlobReader.ReadBlobAsync(_front.Url, Repository, Digest, new() { Range = range });
}
