using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;
using Xunit;

namespace Entrepot.IntegrationTests;

/// <summary>Large bodies, from the store and from a running fetch: by sendfile(2), copied, and over TLS.</summary>
public sealed class SendFileTests(RegistryFixture fixture) : IClassFixture<RegistryFixture>, IAsyncLifetime
{
    private const int MiB = 1 << 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly List<EntrepotProcess> _started = [];
    private UpstreamFront _upstream = null!;
    private byte[] _medium = [];

    private Layer Medium => fixture.Medium.Layers[0];

    private Layer Big => fixture.Big.Layers[0];

    private string MediumPath => $"/v2/library/medium/blobs/{Medium.Digest}";

    public async Task InitializeAsync()
    {
        _upstream = await UpstreamFront.StartNewAsync(fixture.Registry.Url);
        using var all = new MemoryStream((int)Medium.Size);
        await using (var stream = Medium.Content.Open()) await stream.CopyToAsync(all);
        _medium = all.ToArray();
    }

    public async Task DisposeAsync()
    {
        foreach (var entrepot in _started) await entrepot.DisposeAsync();
        await _upstream.DisposeAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stored_blob_comes_whole_and_in_every_range_with_its_bytes(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot);
        var whole = await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest);
        Assert.Equal((200, "HIT", true, Medium.Digest), (whole.Status, whole.XCache, whole.Completed, whole.Digest));

        foreach (var (range, start, length) in new (string, int, int)[]
        {
            ("0-0", 0, 1), ("1000-40000000", 1000, 39_999_001), ("5-65540", 5, 65_536), ("5-65541", 5, 65_537), ("-20000000", _medium.Length - 20_000_000, 20_000_000),
            ("-1", _medium.Length - 1, 1), ($"{16 * MiB - 1}-{16 * MiB}", (16 * MiB) - 1, 2), ($"{MiB}-", MiB, _medium.Length - MiB), ($"0-{_medium.Length * 2L}", 0, _medium.Length),
        })
        {
            var read = await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { Range = "bytes=" + range });
            Assert.Equal((range, 206, $"bytes {start}-{start + length - 1}/{_medium.Length}", true), (range, read.Status, read.Headers["Content-Range"], read.Completed));
            Assert.Equal((range, Hash(start, length)), (range, read.Digest));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Several_ranges_in_one_answer_hold_their_bytes_in_their_order(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot);
        (int Start, int Length)[] ranges = [(30_000_000, 17_000_000), (0, 10), (100, 200_000), (_medium.Length - 5, 5)];
        var answer = await RawHttp.SendAsync(entrepot.Port, $"GET {MediumPath} HTTP/1.1", "Host: x", "Connection: close",
            $"Range: bytes={string.Join(',', ranges.Select(r => $"{r.Start}-{r.Start + r.Length - 1}"))}");
        Assert.Equal((206, false), (answer.Status, answer.EndedShort));
        var at = 0;
        foreach (var (start, length) in ranges)
        {
            var head = $"Content-Range: bytes {start}-{start + length - 1}/{_medium.Length}\r\n";
            var found = answer.Body.AsSpan(at).IndexOf(Encoding.ASCII.GetBytes(head));
            Assert.True(found >= 0, $"no part {head}");
            at += found;
            at += answer.Body.AsSpan(at).IndexOf("\r\n\r\n"u8) + 4;
            Assert.Equal(Hash(start, length), Content.DigestOf(answer.Body.AsSpan(at, length)));
            at += length;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task On_one_connection_requests_before_and_behind_a_large_body_get_their_own_answers(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot);
        var manifest = $"/v2/library/medium/manifests/{fixture.Medium.Digest}";
        string[] requests =
        [
            $"GET {manifest}", $"HEAD {MediumPath}", $"GET {MediumPath}", $"GET {manifest}", $"HEAD {MediumPath}", $"GET {MediumPath}|bytes=1-20000000", "GET /v2/", $"GET {MediumPath}|bytes=-70000", "GET /v2/library/none/manifests/1",
        ];
        for (var round = 0; round < 3; round++)
        {
            // All sent at once.
            var text = string.Concat(requests.Select(r => r.Split('|') is [var line, .. var range] ? $"{line} HTTP/1.1\r\nHost: x\r\n{(range is [var bytes] ? $"Range: {bytes}\r\n" : "")}\r\n" : ""));
            var (answers, closed) = await RawHttp.SendManyAsync(entrepot.Port, Encoding.ASCII.GetBytes(text), [.. requests.Select(r => r.StartsWith("HEAD", StringComparison.Ordinal))]);
            Assert.False(closed);
            Assert.Equal([200, 200, 200, 200, 200, 206, 200, 206, 404], answers.Select(a => a.Status));
            foreach (var i in new[] { 0, 3 }) Assert.Equal(fixture.Medium.ManifestBytes.ToArray(), answers[i].Body);
            foreach (var i in new[] { 1, 4 }) Assert.Equal((Medium.Size.ToString(CultureInfo.InvariantCulture), 0), (answers[i].Header("Content-Length"), answers[i].Body.Length));
            Assert.Equal(Medium.Digest, Content.DigestOf(answers[2].Body));
            Assert.Equal(Hash(1, 20_000_000), Content.DigestOf(answers[5].Body));
            Assert.Equal("{}", Encoding.ASCII.GetString(answers[6].Body));
            Assert.Equal(Hash(_medium.Length - 70_000, 70_000), Content.DigestOf(answers[7].Body));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_slow_reader_holds_nobody_up_and_gets_its_bytes(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot);
        var slow = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { BytesPerSecond = 6 * MiB });
        for (var round = 0; round < 3; round++)
        {
            var fast = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest)));
            Assert.All(fast, read => Assert.Equal((200, true, Medium.Digest), (read.Status, read.Completed, read.Digest)));
        }
        Assert.False(slow.IsCompleted, "the slow reader was not slow");
        var read = await slow.WaitAsync(Deadline);
        Assert.Equal((200, true, Medium.Digest), (read.Status, read.Completed, read.Digest));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Clients_that_leave_in_the_middle_leave_nothing_behind_and_are_not_counted_as_served(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot, "library/big", Big);
        await LeaveAsync(entrepot, 20);
        var (handles, rss) = (Handles(entrepot), entrepot.RssBytes);
        var before = (await entrepot.MetricsAsync()).Value("entrepot_served_bytes_total", ("kind", "blob"));
        await LeaveAsync(entrepot, 200);
        await Eventually.Async(() => Handles(entrepot) <= handles + 5, TimeSpan.FromSeconds(20), $"the {handles} files and sockets to be as many as before (now {Handles(entrepot)})");
        Assert.InRange(entrepot.RssBytes, 0, rss + (64L * MiB));

        // What the kernel has taken for a client that reads 256 KiB is a few MiB at most.
        var served = (await entrepot.MetricsAsync()).Value("entrepot_served_bytes_total", ("kind", "blob")) - before;
        Assert.InRange(served / 200, 256 * 1024, 10 * MiB);
        var read = await BlobReader.ReadBlobAsync(entrepot.Url, "library/big", Big.Digest);
        Assert.Equal((200, true, Big.Digest), (read.Status, read.Completed, read.Digest));

        async Task LeaveAsync(EntrepotProcess process, int clients) => await Parallel.ForAsync(0, clients, new ParallelOptions { MaxDegreeOfParallelism = 40 }, async (i, token) =>
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 64 * 1024 };
            await socket.ConnectAsync(IPAddress.Loopback, process.Port, token);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /v2/library/big/blobs/{Big.Digest} HTTP/1.1\r\nHost: x\r\n\r\n"), token);
            var buffer = new byte[64 * 1024];
            for (var got = 0; got < 256 * 1024;) got += await socket.ReceiveAsync(buffer, token) is > 0 and var read ? read : throw new IOException("ended");
            if (i % 2 == 0) socket.LingerState = new LingerOption(enable: true, seconds: 0);
        });
    }

    [Fact]
    public async Task Over_TLS_the_same_bytes_come_by_HTTP_1_1_and_HTTP_2()
    {
        using var folder = new TempFolder("tls");
        WriteCertificate(folder);
        var port = FreePort.Next();
        var entrepot = await StartAsync(sendFile: true, settings =>
        {
            settings.Set("Tls", new Dictionary<string, object?> { ["CertificateFile"] = folder.File("tls.crt"), ["KeyFile"] = folder.File("tls.key") });
            settings.ExtraUrls.Add($"https://127.0.0.1:{port}");
        });
        await StoredAsync(entrepot);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null } });
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
            foreach (var (range, start, length) in new (string?, int, int)[] { (null, 0, _medium.Length), ("bytes=7-30000000", 7, 29_999_994), ("bytes=-100000", _medium.Length - 100_000, 100_000) })
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"https://127.0.0.1:{port}{MediumPath}") { Version = version, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
                if (range is not null) request.Headers.TryAddWithoutValidation("Range", range);
                using var answer = await client.SendAsync(request);
                Assert.Equal((version, range is null ? HttpStatusCode.OK : HttpStatusCode.PartialContent), (answer.Version, answer.StatusCode));
                Assert.Equal(Hash(start, length), Content.DigestOf(await answer.Content.ReadAsByteArrayAsync()));
            }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task While_it_is_fetched_whole_ranges_slow_readers_and_leavers_are_served_from_what_is_there(bool sendFile)
    {
        _upstream.BytesPerSecond = 4 * MiB; // On each of four connections.
        var entrepot = await StartAsync(sendFile);
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, "library/medium", "1")).Status);
        var first = ReadAsync(null);
        await Eventually.Async(() => _upstream.Log.BlobBytes(Medium.Digest) > 0, TimeSpan.FromSeconds(10), "the download to begin");
        (string? Range, int Start, int Length)[] asked = [(null, 0, _medium.Length), ("bytes=20000000-45000000", 20_000_000, 25_000_001), ("bytes=-100000", _medium.Length - 100_000, 100_000), ("bytes=3-90000", 3, 89_998)];
        var reads = asked.Select(a => ReadAsync(a.Range)).ToArray();
        var slow = ReadAsync(null, 10 * MiB);
        var leaver = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { StopAfter = 3 * MiB });
        Assert.False(_upstream.Log.Matching(Medium.Digest).All(r => r.FinishedAt is not null), "the download is over already");

        foreach (var (read, (_, start, length)) in (await Task.WhenAll(reads).WaitAsync(Deadline)).Zip(asked))
            Assert.Equal((true, Hash(start, length)), (read.Completed, read.Digest));
        foreach (var read in await Task.WhenAll(first, slow).WaitAsync(Deadline)) Assert.Equal((200, true, Medium.Digest), (read.Status, read.Completed, read.Digest));
        Assert.Equal(BodyEnd.GivenUp, (await leaver).End);
        Assert.Equal(("MISS", "COALESCED"), ((await first).XCache, (await slow).XCache));

        // Served as it came, not behind the end of the download.
        var fetchedAt = _upstream.Log.Matching(Medium.Digest).Max(r => r.FinishedAt);
        Assert.True((await first).FirstByteAt < fetchedAt, "the first reader got nothing before the download was over");
        _upstream.Log.AssertNoByteTwice(Medium.Digest, Medium.Size);

        Task<BlobRead> ReadAsync(string? range, long? rate = null) =>
            BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { Range = range, BytesPerSecond = rate });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_beyond_its_grace_ends_a_body_to_a_slow_reader_by_a_FIN_behind_right_bytes(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile, settings => settings.Set("ShutdownGrace", "1s"));
        await StoredAsync(entrepot);
        var slow = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { BytesPerSecond = 3 * MiB });
        await Eventually.Async(async () => (await entrepot.MetricsAsync()).Value("kestrel_active_connections") >= 2, TimeSpan.FromSeconds(10), "the reader to be connected");
        var stopped = await entrepot.StopAsync();
        Assert.Equal(0, stopped.ExitCode);
        Assert.DoesNotContain("   at ", stopped.Output, StringComparison.Ordinal);
        var read = await slow.WaitAsync(Deadline);
        Assert.Equal(BodyEnd.Early, read.End);
        Assert.InRange(read.BytesRead, 1, Medium.Size - 1);
        Assert.Equal(Hash(0, (int)read.BytesRead), read.Digest);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stop_beyond_its_grace_ends_a_body_that_waits_for_its_upstream_by_a_FIN_behind_right_bytes(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile, settings => settings.Set("ShutdownGrace", "1s"));
        var hang = _upstream.Inject(Fault.HangMidBody(5 * MiB), Medium.Digest);
        var come = 0L;
        var pull = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { OnBytes = bytes => Volatile.Write(ref come, bytes) });
        await Eventually.Async(() => hang.Hits > 0 && Volatile.Read(ref come) >= 5 * MiB, TimeSpan.FromSeconds(10), "the download to hang, and what has come of it to be with the client");
        var stopped = await entrepot.StopAsync();
        Assert.DoesNotContain("   at ", stopped.Output, StringComparison.Ordinal);
        var read = await pull.WaitAsync(Deadline);
        Assert.Equal((BodyEnd.Early, 5 * MiB), (read.End, read.BytesRead));
        Assert.Equal(Hash(0, 5 * MiB), read.Digest);
    }

    [StandaloneTheory("a cluster's store is not files of this machine")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stored_file_that_is_deleted_during_a_body_is_sent_to_its_end(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot);
        var slow = await BegunSlowlyAsync(entrepot);
        File.Delete(StoredFile(entrepot));
        var read = await slow.Value.WaitAsync(Deadline);
        Assert.Equal((200, true, Medium.Digest), (read.Status, read.Completed, read.Digest));

        // Gone for whoever comes next: fetched again.
        _upstream.Log.Clear();
        Assert.Equal(Medium.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest)).Digest);
        Assert.NotEmpty(_upstream.Log.BlobRanges(Medium.Digest));
    }

    [StandaloneTheory("a cluster's store is not files of this machine")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stored_file_that_is_cut_during_a_body_lets_nobody_wait_and_never_completes_with_other_bytes(bool sendFile)
    {
        var entrepot = await StartAsync(sendFile);
        await StoredAsync(entrepot);
        var slow = await BegunSlowlyAsync(entrepot);
        await using (var file = new FileStream(StoredFile(entrepot), FileMode.Open, FileAccess.Write, FileShare.ReadWrite)) file.SetLength(24_000_000);
        var read = await slow.Value.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(!read.Completed || read.Digest == Medium.Digest, $"it ended {read.End} after {read.BytesRead} bytes of {read.Digest}");
    }

    /// <summary>A slow reader of the stored file, which is open and has been read for a while.</summary>
    private async Task<Lazy<Task<BlobRead>>> BegunSlowlyAsync(EntrepotProcess entrepot)
    {
        await Eventually.Async(() => !IsOpen(), TimeSpan.FromSeconds(20), "the fetch to let go of the file");
        var slow = BlobReader.ReadBlobAsync(entrepot.Url, "library/medium", Medium.Digest, new BlobReadOptions { BytesPerSecond = 8 * MiB });
        await Eventually.Async(IsOpen, TimeSpan.FromSeconds(10), "the body to begin");
        return new Lazy<Task<BlobRead>>(slow);

        bool IsOpen() => OpenFiles(entrepot).Any(f => f.Contains(Medium.Digest.Split(':')[1], StringComparison.Ordinal));
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Content.DigestOf(bytes);

    private string Hash(int start, int length) => Hash(_medium.AsSpan(start, length));

    private async Task<EntrepotProcess> StartAsync(bool sendFile, Action<EntrepotSettings>? more = null)
    {
        var settings = EntrepotSettings.WithUpstream(_upstream.Url).Set("SendFile", sendFile);
        more?.Invoke(settings);
        var entrepot = await EntrepotProcess.StartNewAsync(settings);
        _started.Add(entrepot);
        return entrepot;
    }

    private Task StoredAsync(EntrepotProcess entrepot) => StoredAsync(entrepot, "library/medium", Medium);

    private static async Task StoredAsync(EntrepotProcess entrepot, string repository, Layer layer)
    {
        Assert.Equal(200, (await BlobReader.ReadManifestAsync(entrepot.Url, repository, "1")).Status);
        Assert.Equal(layer.Digest, (await BlobReader.ReadBlobAsync(entrepot.Url, repository, layer.Digest)).Digest);
        var head = new BlobReadOptions { Method = HttpMethod.Head };
        await Eventually.Async(async () => (await BlobReader.ReadBlobAsync(entrepot.Url, repository, layer.Digest, head)).XCache == "HIT", TimeSpan.FromSeconds(20), "the blob to be stored");
    }

    private string StoredFile(EntrepotProcess entrepot) =>
        Directory.GetFiles(Path.Combine(entrepot.DataDirectory, "blobs"), Medium.Digest.Split(':')[1] + ".*", SearchOption.AllDirectories).Single();

    private static int Handles(EntrepotProcess entrepot) => Directory.GetFiles($"/proc/{entrepot.Id}/fd").Length;

    private static IEnumerable<string> OpenFiles(EntrepotProcess entrepot) =>
        Directory.GetFiles($"/proc/{entrepot.Id}/fd").Select(f => File.ResolveLinkTarget(f, returnFinalTarget: false)?.FullName ?? "");

    private static void WriteCertificate(TempFolder folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cache", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, new DateTimeOffset(2045, 1, 1, 0, 0, 0, TimeSpan.Zero));
        File.WriteAllText(folder.File("tls.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(folder.File("tls.crt"), certificate.ExportCertificatePem());
    }
}
