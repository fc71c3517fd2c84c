using System.Net.Sockets;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Entrepot.Hosting;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

/// <summary>Bodies that go from one socket to another without being copied: a real store, a real server before it, real clients.</summary>
public sealed class SpliceFacts : IDisposable
{
    private const int Size = 24 << 20;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(Size);
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, ConnectCallback = SpliceStream.ConnectAsync });
    private int _piped, _copied;

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task A_body_of_another_server_arrives_whole_and_all_but_its_beginning_stays_in_the_kernel()
    {
        await using var store = await StartStoreAsync(_bytes);
        await using var front = await StartFrontAsync(store);
        // Twice over one connection: what Kestrel and the client count is right.
        const string one = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        var (answers, closed) = await RawHttp.SendManyAsync(front.Address.Port, Encoding.ASCII.GetBytes(one + one), false, false);
        Assert.False(closed);
        foreach (var answer in answers) Assert.Equal((200, false, Hash(_bytes)), (answer.Status, answer.EndedShort, Hash(answer.Body)));
        Assert.InRange(_copied, 0, 64 * 1024);
        Assert.Equal(2 * Size, _piped + _copied);
    }

    [Fact]
    public async Task A_client_that_reads_slowly_gets_every_byte_in_its_order()
    {
        await using var store = await StartStoreAsync(_bytes);
        await using var front = await StartFrontAsync(store);
        using var client = await ConnectAsync(front);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"u8.ToArray());
        // A window of 32 KiB, odd reads: the socket is full again and again.
        var got = new MemoryStream();
        var buffer = new byte[7001];
        while (await client.ReceiveAsync(buffer).WaitAsync(Deadline) is > 0 and var read) got.Write(buffer, 0, read);
        var all = got.ToArray();
        Assert.Equal(Hash(_bytes), Hash(all.AsSpan(all.Length - Size)));
        Assert.True(_piped > Size / 2, $"{_piped} bytes of {Size} were left in the kernel");
    }

    [Fact]
    public async Task A_body_in_chunks_arrives_whole()
    {
        await using var store = await StartStoreAsync(_bytes, isChunked: true);
        await using var front = await StartFrontAsync(store);
        var answer = await RawHttp.SendAsync(front.Address.Port, "GET / HTTP/1.1", "Host: x");
        Assert.Equal((200, false, Hash(_bytes)), (answer.Status, answer.EndedShort, Hash(answer.Body)));
    }

    [Fact]
    public async Task A_store_that_breaks_off_ends_the_read_and_what_came_before_is_delivered()
    {
        await using var store = await StartStoreAsync(_bytes, sends: Size / 2);
        await using var front = await StartFrontAsync(store);
        var answer = await RawHttp.SendAsync(front.Address.Port, "GET / HTTP/1.1", "Host: x");
        Assert.True(answer.EndedShort);
        Assert.Equal(Hash(_bytes.AsSpan(0, Size / 2)), Hash(answer.Body));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_has_gone_away_ends_it_soon_and_the_next_gets_no_byte_of_its_body(bool byReset)
    {
        await using var store = await StartStoreAsync(_bytes);
        await using var front = await StartFrontAsync(store);
        for (var i = 0; i < 5; i++)
        {
            using var client = await ConnectAsync(front);
            await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            Assert.NotEqual(0, await client.ReceiveAsync(new byte[1000]));
            if (byReset) client.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        await Eventually.Async(() => Volatile.Read(ref _left) == 5, TimeSpan.FromSeconds(15), "all five to be given up");
        var answer = await RawHttp.SendAsync(front.Address.Port, "GET / HTTP/1.1", "Host: x");
        Assert.Equal((200, false, Hash(_bytes)), (answer.Status, answer.EndedShort, Hash(answer.Body)));
    }

    [Fact]
    public async Task Cut_while_a_client_stands_still_it_ends_by_a_FIN_behind_what_the_kernel_had()
    {
        using var cut = new CancellationTokenSource();
        await using var store = await StartStoreAsync(_bytes);
        await using var front = await StartFrontAsync(store, cut: cut.Token);
        using var client = await ConnectAsync(front);
        await client.SendAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        Assert.NotEqual(0, await client.ReceiveAsync(new byte[1000]));
        await cut.CancelAsync();
        // The end of the stream; a reset would throw.
        var buffer = new byte[1 << 16];
        long more = 0;
        while (await client.ReceiveAsync(buffer).WaitAsync(Deadline) is > 0 and var read) more += read;
        Assert.InRange(more, 1, Size - 1);
    }

    [Fact]
    public async Task A_read_that_is_given_up_while_it_waits_takes_nothing_with_it()
    {
        var more = new TaskCompletionSource();
        await using var store = await TestHost.StartAsync(pipeline: app => app.Run(async http =>
        {
            http.Response.ContentLength = 10;
            await http.Response.StartAsync();
            await http.Response.Body.FlushAsync();
            await more.Task;
        }));
        using var response = await _http.GetAsync(store.Address, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        using KernelBuffer buffer = new();
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => _ = await body.ReadAsync(buffer.Memory, soon.Token));
        Assert.Equal(0, buffer.Pipe?.Count ?? 0);
        more.SetResult();
    }

    [Fact]
    public async Task Without_a_pipe_the_bytes_are_copied_into_the_memory()
    {
        await using var store = await StartStoreAsync(_bytes);
        // Of this connection type nothing but the buffer makes a difference.
        using var plain = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await using var front = await StartFrontAsync(store, plain);
        var answer = await RawHttp.SendAsync(front.Address.Port, "GET / HTTP/1.1", "Host: x");
        Assert.Equal((200, false, Hash(_bytes)), (answer.Status, answer.EndedShort, Hash(answer.Body)));
        Assert.Equal((0, Size), (_piped, _copied));
    }

    [Fact]
    public async Task What_comes_slowly_is_not_waited_for_until_it_is_a_large_piece()
    {
        var more = new TaskCompletionSource();
        await using var store = await TestHost.StartAsync(pipeline: app => app.Run(async http =>
        {
            http.Response.ContentLength = Size;
            await http.Response.StartAsync();
            await http.Response.BodyWriter.WriteAsync(_bytes.AsMemory(0, 100_000));
            await more.Task;
            await http.Response.BodyWriter.WriteAsync(_bytes.AsMemory(100_000));
        }));
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, ConnectCallback = SpliceStream.ConnectForLargePiecesAsync });
        for (var round = 0; round < 2; round++)
        {
            using var response = await http.GetAsync(store.Address, HttpCompletionOption.ResponseHeadersRead);
            await using var body = await response.Content.ReadAsStreamAsync();
            var got = 0;
            while (got < Size)
            {
                if (got == 100_000) more.TrySetResult();
                using KernelBuffer buffer = new();
                var count = await body.ReadAsync(buffer.Memory).AsTask().WaitAsync(Deadline);
                Assert.NotEqual(0, count);
                var bytes = buffer.Pipe is { Count: > 0 } pipe ? TakeAll(pipe) : buffer.Memory[..count].ToArray();
                Assert.True(bytes.AsSpan().SequenceEqual(_bytes.AsSpan(got, count)));
                got += count;
            }
        }

        static byte[] TakeAll(Entrepot.Hosting.Serving.KernelPipe pipe)
        {
            var bytes = new byte[pipe.Count];
            for (var taken = 0; taken < bytes.Length;) taken += pipe.Take(bytes.AsSpan(taken));
            return bytes;
        }
    }

    private int _left;

    private static Task<TestHost> StartStoreAsync(byte[] bytes, bool isChunked = false, int sends = Size) => TestHost.StartAsync(pipeline: app => app.Run(async http =>
    {
        if (!isChunked) http.Response.ContentLength = bytes.Length;
        await http.Response.StartAsync();
        await http.Response.BodyWriter.WriteAsync(bytes.AsMemory(0, sends));
    }));

    /// <summary>Passes the store's body on as the api does.</summary>
    private Task<TestHost> StartFrontAsync(TestHost store, HttpClient? http = null, CancellationToken cut = default) => TestHost.StartAsync(new() { ["ShutdownGrace"] = "1s" }, pipeline: app => app.Run(async context =>
    {
        var direct = context.Features.Get<IDirectBodyFeature>()!;
        using var response = await (http ?? _http).GetAsync(store.Address, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        context.Response.ContentLength = Size;
        await context.Response.StartAsync();
        for (var sent = 0; sent < Size;)
        {
            using KernelBuffer buffer = new();
            int count;
            try
            {
                count = await body.ReadAsync(buffer.Memory, cut);
            }
            catch (Exception e) when (e is IOException or HttpRequestException)
            {
                return;
            }
            if (count == 0) return;
            Interlocked.Add(ref buffer.Pipe is { Count: > 0 } ? ref _piped : ref _copied, count);
            var (bytes, isGone) = await direct.SendAsync(context.Response.BodyWriter, buffer, count, cut);
            sent += bytes;
            if (!isGone) continue;
            Interlocked.Increment(ref _left);
            return;
        }
    }));

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static async Task<Socket> ConnectAsync(TestHost host)
    {
        // A small window, so that the kernel does not take the whole body ahead of the reader.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 32 * 1024 };
        await socket.ConnectAsync(IPAddress.Loopback, host.Address.Port);
        return socket;
    }
}
