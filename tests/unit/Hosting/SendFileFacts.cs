using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Entrepot.Hosting;
using Entrepot.TestSupport.Clients;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

/// <summary>Bodies that go from a file to the socket: a real Kestrel, real sockets.</summary>
public sealed class SendFileFacts : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly byte[] _bytes = RandomNumberGenerator.GetBytes(24 << 20);
    private readonly FileStream _file;

    public SendFileFacts()
    {
        var path = Path.GetTempFileName();
        File.WriteAllBytes(path, _bytes);
        _file = new FileStream(path, new FileStreamOptions { Options = FileOptions.Asynchronous | FileOptions.DeleteOnClose, BufferSize = 0 });
    }

    public void Dispose() => _file.Dispose();

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public async Task It_is_there_unless_it_is_turned_off(string sendFile, bool isThere)
    {
        bool? was = null;
        await using var host = await TestHost.StartAsync(new() { ["SendFile"] = sendFile }, pipeline: app => app.Run(http =>
        {
            was = http.Features.Get<IDirectBodyFeature>() is not null;
            return Task.CompletedTask;
        }));
        Assert.Equal(200, (await RawHttp.SendAsync(host.Address.Port, "GET / HTTP/1.1", "Host: x", "Connection: close")).Status);
        Assert.Equal(isThere, was);
    }

    [Fact]
    public async Task Parts_of_files_and_of_memory_come_in_their_order_and_the_connection_goes_on()
    {
        await using var host = await StartAsync(async (http, files) =>
        {
            var body = http.Response.BodyWriter;
            http.Response.ContentLength = 5 + 7_000_000 + 100_000 + 1 + 3;
            await http.Response.StartAsync();
            await body.WriteAsync("first"u8.ToArray());
            await files.SendAsync(body, _file, 1_000_001, 7_000_000, default);
            await body.WriteAsync(_bytes.AsMemory(0, 100_000));
            await files.SendAsync(body, _file, _bytes.Length - 1, 1, default);
            await body.WriteAsync("end"u8.ToArray());
        });
        byte[] expected = [.. "first"u8, .. _bytes.AsSpan(1_000_001, 7_000_000), .. _bytes.AsSpan(0, 100_000), _bytes[^1], .. "end"u8];

        // Pipelined: the second request is there while the first is answered.
        const string one = "GET /file HTTP/1.1\r\nHost: x\r\n\r\n", small = "GET /small HTTP/1.1\r\nHost: x\r\n\r\n";
        var (answers, closed) = await RawHttp.SendManyAsync(host.Address.Port, Encoding.ASCII.GetBytes(one + small + one + small), false, false, false, false);
        Assert.False(closed);
        for (var i = 0; i < 4; i++)
        {
            Assert.Equal((200, false), (answers[i].Status, answers[i].EndedShort));
            Assert.Equal(i % 2 == 0 ? Hash(expected) : Hash("small"u8), Hash(answers[i].Body));
        }
    }

    [Fact]
    public async Task A_response_that_ends_before_its_body_has_its_head()
    {
        await using var host = await StartAsync(async (http, _) =>
        {
            http.Response.ContentLength = 100;
            await http.Response.StartAsync();
        });
        var answer = await RawHttp.SendAsync(host.Address.Port, "GET /file HTTP/1.1", "Host: x");
        Assert.Equal((200, true), (answer.Status, answer.EndedShort));
    }

    [Fact]
    public async Task Sent_for_a_reader_that_stands_still_it_is_cut_short_by_a_FIN_behind_what_the_kernel_had()
    {
        using var cut = new CancellationTokenSource();
        var ended = new TaskCompletionSource();
        await using var host = await StartAsync(async (http, files) =>
        {
            http.Response.ContentLength = _bytes.Length;
            await http.Response.StartAsync();
            try
            {
                await files.SendAsync(http.Response.BodyWriter, _file, 0, _bytes.Length, cut.Token);
            }
            catch (OperationCanceledException)
            {
                // One way to say that it was cut.
            }
            ended.SetResult();
        });
        using var client = await ConnectAsync(host);
        await client.SendAsync("GET /file HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        Assert.NotEqual(0, await client.ReceiveAsync(new byte[1000]));
        Assert.NotSame(ended.Task, await Task.WhenAny(ended.Task, Task.Delay(300))); // More than the kernel takes.
        await cut.CancelAsync();
        await ended.Task.WaitAsync(Deadline);

        // The end of the stream; a reset would throw.
        var buffer = new byte[1 << 16];
        long more = 0;
        while (await client.ReceiveAsync(buffer).WaitAsync(Deadline) is > 0 and var read) more += read;
        Assert.InRange(more, 1, _bytes.Length - 1);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_has_gone_away_ends_it_soon(bool byReset)
    {
        var ended = new TaskCompletionSource<BodySent>();
        await using var host = await StartAsync(async (http, files) =>
        {
            http.Response.ContentLength = _bytes.Length;
            await http.Response.StartAsync();
            ended.SetResult(await files.SendAsync(http.Response.BodyWriter, _file, 0, _bytes.Length, default));
        });
        using (var client = await ConnectAsync(host))
        {
            await client.SendAsync("GET /file HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
            await client.ReceiveAsync(new byte[1000]);
            Assert.NotSame(ended.Task, await Task.WhenAny(ended.Task, Task.Delay(300))); // More than the kernel takes.
            if (byReset) client.LingerState = new LingerOption(enable: true, seconds: 0);
        }
        var sent = await ended.Task.WaitAsync(Deadline);
        Assert.True(sent.IsGone);
        Assert.InRange(sent.Bytes, 1, _bytes.Length - 1);
    }

    [Fact]
    public async Task A_file_that_has_fewer_bytes_than_were_said_lets_nobody_wait()
    {
        await using var host = await StartAsync(async (http, files) =>
        {
            http.Response.ContentLength = 1_000_000;
            await http.Response.StartAsync();
            await files.SendAsync(http.Response.BodyWriter, _file, _bytes.Length - 400_000, 1_000_000, default);
        });
        var answer = await RawHttp.SendBytesAsync(host.Address.Port, "GET /file HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), deadline: TimeSpan.FromSeconds(15));
        Assert.True(answer.EndedShort);
        Assert.InRange(answer.Body.Length, 0, 400_000);
    }

    [Fact]
    public async Task Many_answers_of_every_size_come_right_through_the_output()
    {
        await using var host = await TestHost.StartAsync(pipeline: app => app.Run(async http =>
        {
            var size = int.Parse(http.Request.Path.Value![1..], System.Globalization.CultureInfo.InvariantCulture);
            http.Response.ContentLength = size;

            // In pieces, some flushed and some not.
            for (var at = 0; at < size;)
            {
                var count = Math.Min(Random.Shared.Next(1, 50_000), size - at);
                if (Random.Shared.Next(2) == 0) await http.Response.BodyWriter.WriteAsync(_bytes.AsMemory(at, count));
                else await http.Response.Body.WriteAsync(_bytes.AsMemory(at, count));
                at += count;
            }
        }));
        int[] sizes = [0, 1, 4000, 4095, 4096, 4097, 9000, 65_536, 1_000_000, 5_000_001];
        var requests = string.Concat(sizes.Select(size => $"GET /{size} HTTP/1.1\r\nHost: x\r\n\r\n"));
        var (answers, _) = await RawHttp.SendManyAsync(host.Address.Port, Encoding.ASCII.GetBytes(requests), [.. sizes.Select(_ => false)]);
        foreach (var (size, answer) in sizes.Zip(answers)) Assert.Equal(Hash(_bytes.AsSpan(0, size)), Hash(answer.Body));
    }

    private static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static async Task<Socket> ConnectAsync(TestHost host)
    {
        // A small window, so that the kernel does not take the whole file ahead of the reader.
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 32 * 1024 };
        await socket.ConnectAsync(IPAddress.Loopback, host.Address.Port);
        return socket;
    }

    private static Task<TestHost> StartAsync(Func<HttpContext, IDirectBodyFeature, Task> answer) => TestHost.StartAsync(new() { ["ShutdownGrace"] = "1s" }, pipeline: app => app.Run(http =>
        http.Request.Path == "/small" ? http.Response.WriteAsync("small") : answer(http, http.Features.Get<IDirectBodyFeature>()!)));
}
