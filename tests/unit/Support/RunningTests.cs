using System.Text;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Product;
using Entrepot.TestSupport.Running;
using Xunit;

namespace Entrepot.UnitTests.Support;

public sealed class RunningTests
{
    [Fact]
    public async Task A_wait_that_ends_at_its_deadline_says_what_it_waited_for_and_why_it_failed()
    {
        var error = await Assert.ThrowsAsync<TimeoutException>(() => Eventually.Async(() => Task.FromException<bool>(new InvalidOperationException("not yet")), TimeSpan.FromMilliseconds(50), "the moon"));
        Assert.Equal("Waited 0.1 s for the moon; the last attempt failed: not yet", error.Message);
    }

    [Fact]
    public async Task A_wait_for_an_answer_that_never_comes_ends_at_its_deadline_too()
    {
        var waiting = Eventually.Async(() => new TaskCompletionSource<bool>().Task, TimeSpan.FromMilliseconds(50), "the moon");
        var error = await Assert.ThrowsAsync<TimeoutException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.StartsWith("Waited 0.1 s for the moon", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_process_is_told_from_another_that_has_its_number()
    {
        await using var sleep = ChildProcess.Start("sh", ["-c", "sleep 60 & wait"]);
        var one = ProcessIdentity.OfOrNull(sleep.Id)!.Value;
        await Eventually.Async(() => one.Tree().Count == 2, TimeSpan.FromSeconds(20), "its child");
        var earlier = one with { Started = one.Started - 1 };
        Assert.False(earlier.Runs);
        Assert.Empty(earlier.Tree());
        earlier.Signal(Posix.SigKill);
        one.Signal(Posix.SigStop);
        Assert.True(one.Runs);

        var both = one.Tree();
        foreach (var each in both) each.Signal(Posix.SigKill);
        await Eventually.Async(() => !both.Any(each => each.Runs), TimeSpan.FromSeconds(20), "both to be gone");
        Assert.Equal(128 + 9, (await sleep.WaitForExitAsync(TimeSpan.FromSeconds(5))).ExitCode);
        Assert.Null(ProcessIdentity.OfOrNull(sleep.Id));
    }

    [Fact]
    public async Task The_guardian_ends_what_it_watches_and_not_what_has_its_number_since()
    {
        await using var watched = ChildProcess.Start("sleep", ["60"]);
        await using var forgotten = ChildProcess.Start("sleep", ["60"]);
        await using var stranger = ChildProcess.Start("sleep", ["60"]);
        var (one, two, three) = (ProcessIdentity.OfOrNull(watched.Id)!.Value, ProcessIdentity.OfOrNull(forgotten.Id)!.Value, ProcessIdentity.OfOrNull(stranger.Id)!.Value);
        using var guardian = Guardian.Start();
        await guardian.StandardInput.WriteAsync($"+ {one}\n+ {two}\n+ {three with { Started = three.Started - 1 }}\n- {two}\n");
        guardian.StandardInput.Close();
        Assert.Equal(128 + 15, (await watched.WaitForExitAsync(TimeSpan.FromSeconds(5))).ExitCode);
        await guardian.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(two.Runs);
        Assert.True(three.Runs);
    }

    [Fact]
    public async Task A_child_process_is_heard_signalled_and_killed()
    {
        var echo = await ChildProcess.RunAsync("sh", ["-c", "echo out; echo err >&2; exit 3"]);
        Assert.Equal((3, "out\n"), (echo.ExitCode, echo.StandardOutput));
        Assert.Contains("err\n", echo.Output, StringComparison.Ordinal);
        await using var sleep = ChildProcess.Start("sleep", ["60"]);
        Assert.Equal(128 + 15, (await sleep.TerminateAsync(TimeSpan.FromSeconds(5))).ExitCode);
        await using var other = ChildProcess.Start("sleep", ["60"]);
        other.Kill9();
        Assert.Equal(128 + 9, other.ExitCode);
        Assert.Throws<ClientMissingException>(() => ChildProcess.Start("no-such-command", []));
    }

    [ClientFact("mount", NeedsRoot = true)]
    public async Task A_tmpfs_is_as_small_as_it_was_asked_for_and_gone_afterwards()
    {
        string path;
        await using (var disk = await Tmpfs.MountAsync(2))
        {
            path = disk.FullPath;
            Assert.Equal(2 << 20, disk.FreeBytes);
            await Assert.ThrowsAsync<IOException>(() => File.WriteAllBytesAsync(Path.Combine(path, "x"), new byte[3 << 20]));
        }

        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void Metrics_are_read_by_name_and_labels()
    {
        var metrics = Metrics.Parse("""
            # TYPE entrepot_pulls_total counter
            entrepot_pulls_total{upstream="docker.io",result="hit"} 3
            entrepot_pulls_total{upstream="quay.io",result="hit",path="a\"},b\\"} 4.5e0
            entrepot_up 1
            """);
        Assert.Equal(7.5, metrics.Value("entrepot_pulls_total"));
        Assert.Equal(4.5, metrics.Value("entrepot_pulls_total", ("upstream", "quay.io"), ("path", "a\"},b\\")));
        Assert.Equal(0, metrics.Value("entrepot_pulls_total", ("upstream", "ghcr.io")));
        Assert.True(metrics.Has("entrepot_up"));
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x\r\nllo\r\n0\r\n\r\n", "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n", "he", true)]
    [InlineData("", "", true)]
    public async Task A_raw_answer_is_read_as_far_as_it_goes(string answer, string body, bool endedShort)
    {
        using var server = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        server.Start();
        var sending = ReplyAsync(server, answer);
        var response = await RawHttp.SendAsync(((System.Net.IPEndPoint)server.LocalEndpoint).Port, "GET / HTTP/1.1", "Host: x");
        await sending;
        Assert.Equal((body, endedShort, answer.Length > 0 ? 200 : 0), (Encoding.ASCII.GetString(response.Body), response.EndedShort, response.Status));
    }

    private static async Task ReplyAsync(System.Net.Sockets.TcpListener server, string answer)
    {
        using var client = await server.AcceptTcpClientAsync();
        var request = new byte[1000];
        _ = await client.GetStream().ReadAsync(request);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(answer));
    }
}
