using System.Net.Sockets;
using System.Net;
using System.Text;
using Entrepot.Hosting.Serving;
using Entrepot.Hosting;
using Entrepot.TestSupport.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class ServingFacts
{
    [Fact]
    public async Task A_stop_lets_a_running_body_end_takes_no_new_connection_and_is_not_ready()
    {
        var half = new TaskCompletionSource();
        await using var host = await TestHost.StartAsync(pipeline: app => app.Run(async c =>
        {
            c.Response.ContentLength = 8;
            await c.Response.WriteAsync("half");
            await c.Response.Body.FlushAsync();
            await half.Task;
            await c.Response.WriteAsync("half");
        }));
        using var client = new HttpClient { BaseAddress = host.Address };
        using var response = await client.GetAsync("/pull", HttpCompletionOption.ResponseHeadersRead);
        var draining = host.App.Services.GetRequiredService<Draining>();
        var stopping = host.App.StopAsync();
        await Eventually.Async(() => draining.HasBegun && Refused(host.Address), TimeSpan.FromSeconds(15), "connections to be refused");
        Assert.True(draining.Closed.IsCancellationRequested, "what only this process has is not given up");
        Assert.False(stopping.IsCompleted);
        Assert.False(draining.CutShort.IsCancellationRequested);
        half.SetResult();
        Assert.Equal("halfhalf", await response.Content.ReadAsStringAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_body_that_outlasts_the_grace_ends_short_without_a_reset()
    {
        await using var host = await TestHost.StartAsync(new() { ["ShutdownGrace"] = "200ms" }, pipeline: app => app.Run(async c =>
        {
            var cutShort = c.RequestServices.GetRequiredService<Draining>().CutShort;
            c.Response.ContentLength = 8;
            await c.Response.WriteAsync("half");
            await c.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, cutShort).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", host.Address.Port);
        var stream = tcp.GetStream();
        await stream.WriteAsync("GET /pull HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        var got = new byte[1000];
        Assert.NotEqual(0, await stream.ReadAsync(got));
        var stopping = host.App.StopAsync();

        // The end of the stream; a reset would throw.
        while (await stream.ReadAsync(got) > 0)
        {
        }

        await stopping.WaitAsync(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task The_first_signal_makes_not_ready_and_new_requests_are_served_until_the_delay_is_over()
    {
        await using var host = await TestHost.StartAsync(new() { ["DrainDelay"] = "1s" }, pipeline: app => app.Run(c => c.Response.WriteAsync("hi")));
        var lifetime = (SignalLifetime)host.App.Services.GetRequiredService<IHostLifetime>();
        var stopped = new TaskCompletionSource();
        host.App.Lifetime.ApplicationStopping.Register(stopped.SetResult);
        Assert.True(lifetime.Stop("SIGTERM"));
        using var client = new HttpClient { BaseAddress = host.Address };
        using var ready = await client.GetAsync("/readyz");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "{\"status\":\"draining\",\"parts\":{}}"), (ready.StatusCode, await ready.Content.ReadAsStringAsync()));
        Assert.Equal("ok", await client.GetStringAsync("/healthz"));
        Assert.Equal("hi", await client.GetStringAsync("/pull"));
        Assert.False(stopped.Task.IsCompleted);
        Assert.False(lifetime.Stop("SIGTERM"));
        await stopped.Task.WaitAsync(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task A_request_that_brings_a_body_still_gets_its_405_and_no_server_header()
    {
        await using var host = await TestHost.StartAsync(pipeline: app => app.Run(c =>
        {
            c.Response.StatusCode = 405;
            return Task.CompletedTask;
        }));
        using var client = new HttpClient { BaseAddress = host.Address };
        foreach (var length in new[] { 0, 1000, 3 << 20 })
        {
            using var response = await client.PutAsync("/v2/x/manifests/y", new ByteArrayContent(new byte[length]));
            Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
            Assert.False(response.Headers.Contains("Server"));
        }
    }

    [Theory]
    [InlineData("GET /ok HTTP/1.0\r\n\r\n", "HTTP/1.1 200")]
    [InlineData("GET /{16000} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200")]
    [InlineData("GET /{17000} HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 414")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: {60000}\r\nConnection: close\r\n\r\n", "HTTP/1.1 200")]
    [InlineData("GET / HTTP/1.1\r\nHost: x\r\nA: {66000}\r\n\r\n", "HTTP/1.1 431")]
    public async Task What_a_request_may_weigh_is_bounded(string request, string expected)
    {
        await using var host = await TestHost.StartAsync(pipeline: app => app.Run(c => c.Response.WriteAsync("hi")));
        using var tcp = new TcpClient();
        await tcp.ConnectAsync("127.0.0.1", host.Address.Port);
        var text = System.Text.RegularExpressions.Regex.Replace(request, @"\{(\d+)\}", m => new string('a', int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)));
        await tcp.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text));
        var got = new byte[expected.Length];
        await tcp.GetStream().ReadExactlyAsync(got);
        Assert.Equal(expected, Encoding.ASCII.GetString(got));
    }

    private static bool Refused(Uri address)
    {
        try
        {
            using var tcp = new TcpClient();
            tcp.Connect("127.0.0.1", address.Port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
