using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using Entrepot.Contracts;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class FailureTests : UpstreamTest
{
    [Theory]
    [InlineData(404, FetchOutcome.NotFound)]
    [InlineData(410, FetchOutcome.NotFound)]
    [InlineData(401, FetchOutcome.Denied)]
    [InlineData(403, FetchOutcome.Denied)]
    [InlineData(400, FetchOutcome.Unavailable)]
    [InlineData(418, FetchOutcome.Unavailable)]
    [InlineData(501, FetchOutcome.Unavailable)]
    [InlineData(304, FetchOutcome.Unavailable)]
    public async Task A_status_becomes_an_outcome_without_repeats(int status, FetchOutcome outcome)
    {
        var fake = await StartAsync(context => context.Response.StatusCode = status);

        var failure = AssertFailed(outcome, await Client.GetManifestAsync(To(fake), Repository, "latest", None));

        Assert.Equal(status, failure.Status);
        Assert.Equal($"Upstream fake.test answered {status} for manifest {Repository}:latest.", failure.Message);
        Assert.Single(fake.Seen);
    }

    [Fact]
    public async Task A_400_that_says_the_name_cannot_exist_is_not_found()
    {
        var fake = await StartAsync((context, _) =>
        {
            context.Response.StatusCode = 400;
            return context.Response.WriteAsync("""{"errors":[{"code":"NAME_INVALID","message":"invalid repository name"}]}""");
        });

        var failure = AssertFailed(FetchOutcome.NotFound, await Client.HeadManifestAsync(To(fake), Repository, "latest", None));

        Assert.Contains("400 (NAME_INVALID)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_429_is_not_repeated_and_tells_when_to_come_back()
    {
        var fake = await StartAsync(context =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "17";
        });

        var failure = AssertFailed(FetchOutcome.RateLimited, await OpenAsync(To(fake)));

        Assert.Equal(TimeSpan.FromSeconds(17), failure.RetryAfter);
        Assert.Single(fake.Seen);
    }

    [Theory]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(503)]
    [InlineData(504)]
    public async Task A_passing_5xx_is_not_seen(int status)
    {
        var left = 2;
        var fake = await StartAsync(async (context, _) =>
        {
            if (Interlocked.Decrement(ref left) >= 0)
                context.Response.StatusCode = status;
            else
                await SendContentAsync(context);
        });

        await using var stream = (await OpenAsync(To(fake))).Value;

        Assert.Equal(Content, await ReadAsync(stream));
        Assert.Equal(3, fake.Seen.Count);
    }

    [Fact]
    public async Task A_lasting_5xx_is_unavailable_after_three_tries_and_at_once_when_told_to_wait()
    {
        var retryAfter = "";
        var fake = await StartAsync(context =>
        {
            context.Response.StatusCode = 503;
            context.Response.Headers.RetryAfter = retryAfter;
        });
        var upstream = To(fake);

        Assert.Equal(503, AssertFailed(FetchOutcome.Unavailable, await OpenAsync(upstream)).Status);
        Assert.Equal(3, fake.Seen.Count);

        retryAfter = "120";
        Assert.Equal(TimeSpan.FromMinutes(2), AssertFailed(FetchOutcome.Unavailable, await OpenAsync(upstream)).RetryAfter);
        Assert.Equal(4, fake.Seen.Count);
    }

    [Fact]
    public async Task A_connection_closed_without_an_answer_is_tried_again()
    {
        var left = 1;
        var fake = await StartAsync(async (context, _) =>
        {
            if (Interlocked.Decrement(ref left) >= 0)
                context.Abort();
            else
                await SendContentAsync(context);
        });

        Assert.Equal(Content.Length, (await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None)).Value);
        Assert.Equal(2, fake.Seen.Count);
    }

    [Fact]
    public async Task Silence_before_the_headers_is_given_one_timeout_and_no_repeat()
    {
        var fake = await StartAsync((_, fake) => Task.Delay(Timeout.Infinite, fake.Closing));
        var watch = Stopwatch.StartNew();

        var failure = AssertFailed(FetchOutcome.Unavailable, await Client.HeadManifestAsync(
            To(fake, options => options.HeaderTimeout = TimeSpan.FromMilliseconds(300)), Repository, "latest", None));

        Assert.InRange(watch.Elapsed, TimeSpan.FromMilliseconds(280), TimeSpan.FromSeconds(4));
        Assert.Contains("no response headers", failure.Message, StringComparison.Ordinal);
        Assert.Contains("within 0.3 s", failure.Message, StringComparison.Ordinal);
        Assert.Single(fake.Seen);
    }

    [Fact]
    public async Task A_host_that_does_not_accept_is_given_the_connect_timeout()
    {
        // A full accept queue drops further connections, as a host that has gone does.
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(0);
        var fillers = Enumerable.Range(0, 4).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        foreach (var filler in fillers)
            _ = filler.ConnectAsync(listener.LocalEndPoint!).ContinueWith(connect => connect.Exception, TaskScheduler.Default);
        await Task.Delay(200);
        var full = new Upstream("fake.test", new UpstreamOptions
        {
            Url = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndPoint!).Port}"),
            ConnectTimeout = TimeSpan.FromMilliseconds(300),
        });

        var failure = AssertFailed(FetchOutcome.Unavailable, await OpenAsync(full));

        Assert.Contains("accepted no connection", failure.Message, StringComparison.Ordinal);
        Assert.Contains("within 0.3 s", failure.Message, StringComparison.Ordinal);
        fillers.ForEach(filler => filler.Dispose());
    }

    [Fact]
    public async Task A_closed_port_and_a_server_that_speaks_no_TLS_are_unavailable()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        var closed = new Upstream("fake.test", new UpstreamOptions { Url = new Uri($"http://127.0.0.1:{port}") });
        var failure = AssertFailed(FetchOutcome.Unavailable, await OpenAsync(closed));
        Assert.Contains($"127.0.0.1:{port} could not be reached", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ConnectionRefused", failure.Message, StringComparison.Ordinal);

        var plain = await StartAsync(_ => { });
        var secure = new Upstream("fake.test", new UpstreamOptions { Url = new Uri($"https://127.0.0.1:{plain.Url.Port}") });
        Assert.Contains("TLS", AssertFailed(FetchOutcome.Unavailable, await OpenAsync(secure)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_callers_cancellation_is_thrown_and_gives_the_slot_back()
    {
        var hang = true;
        var fake = await StartAsync(async (context, fake) =>
        {
            if (hang)
                await Task.Delay(Timeout.Infinite, fake.Closing);
            await SendContentAsync(context);
        });
        var upstream = To(fake, options => options.MaxConcurrentRequests = 1);
        using var cancellation = new CancellationTokenSource(50);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Client.OpenBlobAsync(upstream, Repository, ContentDigest, 0, null, null, cancellation.Token));

        hang = false;
        await using var stream = (await OpenAsync(upstream)).Value;
        Assert.Equal(Content, await ReadAsync(stream));
    }

    [Fact]
    public async Task The_pull_limit_is_kept_and_measured_and_requests_are_counted()
    {
        var remaining = "76;w=21600";
        var fake = await StartAsync(context =>
        {
            context.Response.Headers["ratelimit-limit"] = "100;w=21600";
            context.Response.Headers["ratelimit-remaining"] = remaining;
            context.Response.StatusCode = 404;
        });
        var upstream = To(fake, name: "quota.test");
        var measured = new List<(string Instrument, long Value, string Tags)>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == UpstreamClient.MeterName)
                self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            var text = string.Join(',', tags.ToArray().Select(tag => $"{tag.Key}={tag.Value}"));
            if (text.Contains("quota.test", StringComparison.Ordinal))
                measured.Add((instrument.Name, value, text));
        });
        listener.Start();
        Assert.Null(Client.FindQuota(upstream));

        await Client.HeadManifestAsync(upstream, Repository, "latest", None);
        listener.RecordObservableInstruments();
        Assert.Equal((100, 76, TimeSpan.FromHours(6)), (Client.FindQuota(upstream)!.Limit, Client.FindQuota(upstream)!.Remaining, Client.FindQuota(upstream)!.Window));
        Assert.Contains(("entrepot_upstream_quota_remaining", 76, "upstream=quota.test"), measured);
        Assert.Contains(("entrepot_upstream_requests", 1, "upstream=quota.test,method=HEAD,outcome=not_found"), measured);

        // An unlimited account has no number there.
        remaining = ";w=21600";
        await Client.HeadManifestAsync(upstream, Repository, "latest", None);
        Assert.Equal(76, Client.FindQuota(upstream)!.Remaining);
    }
}
