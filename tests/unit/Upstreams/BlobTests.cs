using System.Net;
using Entrepot.Contracts;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class BlobTests : UpstreamTest
{
    [Fact]
    public async Task A_whole_blob_and_each_kind_of_range_arrive_as_asked()
    {
        var fake = await StartAsync((context, _) => SendContentAsync(context));
        var upstream = To(fake);

        await using (var whole = (await OpenAsync(upstream)).Value)
        {
            Assert.Equal((0, Content.Length - 1, Content.Length, true), (whole.Start, whole.EndInclusive, whole.TotalSize, whole.IsWhole));
            Assert.Null(whole.Location);
            Assert.Equal(Content, await ReadAsync(whole));
        }

        await using (var part = (await OpenAsync(upstream, 0, 99)).Value)
        {
            Assert.Equal((0, 99, Content.Length, false), (part.Start, part.EndInclusive, part.TotalSize, part.IsWhole));
            Assert.Equal(Content[..100], await ReadAsync(part));
        }

        await using (var rest = (await OpenAsync(upstream, 5000)).Value)
            Assert.Equal(Content[5000..], await ReadAsync(rest));

        await using (var clipped = (await OpenAsync(upstream, 5000, 1_000_000)).Value)
        {
            Assert.Equal(Content.Length - 1, clipped.EndInclusive);
            Assert.Equal(Content[5000..], await ReadAsync(clipped));
        }

        Assert.Equal([null, "bytes=0-99", "bytes=5000-", "bytes=5000-1000000"], fake.Seen.Select(request => request.Range));
        Assert.All(fake.Seen, request => Assert.Equal("identity", request.AcceptEncoding));
    }

    [Fact]
    public async Task A_registry_may_ignore_ranges()
    {
        var fake = await StartAsync((context, _) => context.Response.Body.WriteAsync(Content).AsTask());

        await using var stream = (await OpenAsync(To(fake), 5000, 5999)).Value;

        Assert.True(stream.IsWhole);
        Assert.Equal(0, stream.Start);
        Assert.Null(stream.TotalSize);
        Assert.Equal(Content, await ReadAsync(stream));
    }

    [Theory]
    [InlineData(400)]
    [InlineData(416)]
    public async Task A_registry_may_refuse_a_range_from_the_start(int status)
    {
        var fake = await StartAsync(async (context, _) =>
        {
            if (context.Request.Headers.Range.Count > 0)
                context.Response.StatusCode = status;
            else
                await SendContentAsync(context);
        });

        await using var stream = (await OpenAsync(To(fake), 0, 99)).Value;

        Assert.True(stream.IsWhole);
        Assert.Equal(Content, await ReadAsync(stream));
        AssertFailed(status == 416 ? FetchOutcome.Corrupt : FetchOutcome.Unavailable, await OpenAsync(To(fake), 100, 199));
    }

    [Theory]
    [InlineData("bytes 1-100/12000", 100)]
    [InlineData("bytes 0-100/12000", 101)]
    [InlineData("bytes 0-99/50", 100)]
    [InlineData("bytes 0-99/12000", 40)]
    [InlineData("bytes */12000", 100)]
    [InlineData("lines 0-99/12000", 100)]
    [InlineData(null, 100)]
    public async Task A_part_that_is_not_the_one_asked_for_is_corrupt(string? contentRange, int length)
    {
        var fake = await StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = 206;
            if (contentRange is not null)
                context.Response.Headers.ContentRange = contentRange;
            context.Response.ContentLength = length;
            await context.Response.Body.WriteAsync(Content.AsMemory(0, length));
        });

        AssertFailed(FetchOutcome.Corrupt, await OpenAsync(To(fake), 0, 99));
    }

    [Fact]
    public async Task A_part_of_unknown_total_and_a_shorter_part_are_taken_as_they_are()
    {
        var fake = await StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = "bytes 0-49/*";
            await context.Response.Body.WriteAsync(Content.AsMemory(0, 50));
        });

        await using var stream = (await OpenAsync(To(fake), 0, 99)).Value;

        Assert.Null(stream.TotalSize);
        Assert.Equal(49, stream.EndInclusive);
        Assert.Equal(Content[..50], await ReadAsync(stream));
    }

    [Fact]
    public async Task An_html_page_another_digest_or_an_encoding_is_corrupt()
    {
        Action<HttpResponse>[] faults =
        [
            response => response.ContentType = "text/html; charset=utf-8",
            response => response.Headers["Docker-Content-Digest"] = Digest.Sha256Of("other"u8).ToString(),
            response => response.Headers.ContentEncoding = "gzip",
        ];
        foreach (var fault in faults)
        {
            var fake = await StartAsync(async (context, _) =>
            {
                fault(context.Response);
                if (context.Request.Method != "HEAD")
                    await context.Response.Body.WriteAsync(Content);
            });
            AssertFailed(FetchOutcome.Corrupt, await OpenAsync(To(fake)));
            AssertFailed(FetchOutcome.Corrupt, await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None));
        }
    }

    [Fact]
    public async Task A_body_that_ends_early_fails_the_read_and_not_before()
    {
        var fake = await StartAsync(async (context, _) =>
        {
            context.Response.ContentLength = Content.Length;
            await context.Response.Body.WriteAsync(Content.AsMemory(0, 3000));
        });

        await using var stream = (await OpenAsync(To(fake))).Value;

        var exception = await Assert.ThrowsAsync<UpstreamReadException>(() => ReadAsync(stream));
        Assert.Equal(FetchOutcome.Unavailable, exception.Failure.Outcome);
        Assert.Contains($"blob {Repository}@{ContentDigest}", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(50, FetchOutcome.Unavailable)]
    [InlineData(150, FetchOutcome.Corrupt)]
    public async Task A_chunked_part_must_have_the_length_of_its_range(int sent, FetchOutcome outcome)
    {
        var fake = await StartAsync(async (context, _) =>
        {
            context.Response.StatusCode = 206;
            context.Response.Headers.ContentRange = $"bytes 0-99/{Content.Length}";
            await context.Response.Body.WriteAsync(Content.AsMemory(0, sent));
            await context.Response.Body.FlushAsync();
        });

        await using var stream = (await OpenAsync(To(fake), 0, 99)).Value;

        Assert.Equal(outcome, (await Assert.ThrowsAsync<UpstreamReadException>(() => ReadAsync(stream))).Failure.Outcome);
    }

    [Fact]
    public async Task A_stall_fails_the_read_but_a_slow_reader_does_not()
    {
        var fake = await StartAsync(async (context, fake) =>
        {
            context.Response.ContentLength = Content.Length;
            await context.Response.Body.WriteAsync(Content.AsMemory(0, 3000));
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, fake.Closing);
        });
        await using var stream = (await OpenAsync(To(fake, options => options.StallTimeout = TimeSpan.FromMilliseconds(200)))).Value;
        var buffer = new byte[1000];

        Assert.Equal(1000, await stream.ReadAsync(buffer, None));
        await Task.Delay(400);
        Assert.Equal(1000, await stream.ReadAsync(buffer, None));
        Assert.Equal(1000, await stream.ReadAsync(buffer, None));
        var exception = await Assert.ThrowsAsync<UpstreamReadException>(() => stream.ReadAsync(buffer, None).AsTask());

        Assert.Contains("for 0.2 s", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_a_read_is_a_cancellation_and_not_a_stall()
    {
        var fake = await StartAsync(async (context, fake) =>
        {
            context.Response.ContentLength = Content.Length;
            await context.Response.Body.FlushAsync();
            await Task.Delay(Timeout.Infinite, fake.Closing);
        });
        await using var stream = (await OpenAsync(To(fake))).Value;
        using var cancellation = new CancellationTokenSource(50);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.ReadAsync(new byte[10], cancellation.Token).AsTask());
    }

    [Theory]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(403)]
    [InlineData(405)]
    [InlineData(501)]
    public async Task A_refused_HEAD_is_asked_again_as_one_byte(int status)
    {
        var fake = await StartAsync(async (context, _) =>
        {
            if (context.Request.Method == "HEAD")
                context.Response.StatusCode = status;
            else
                await SendContentAsync(context);
        });

        Assert.Equal(Content.Length, (await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None)).Value);
        Assert.Equal("bytes=0-0", fake.Seen.Last().Range);
    }

    [Fact]
    public async Task A_missing_blob_is_not_found_and_a_refused_one_denied()
    {
        var status = 404;
        var fake = await StartAsync(context => context.Response.StatusCode = status);

        AssertFailed(FetchOutcome.NotFound, await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None));
        Assert.Single(fake.Seen);
        status = 403;
        AssertFailed(FetchOutcome.Denied, await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None));
        AssertFailed(FetchOutcome.Denied, await OpenAsync(To(fake)));
    }

    [Fact]
    public async Task An_empty_blob_is_whole_and_empty()
    {
        var fake = await StartAsync((context, _) =>
        {
            context.Response.StatusCode = context.Request.Headers.Range.Count > 0 ? 416 : 200;
            context.Response.ContentLength = 0;
            return Task.CompletedTask;
        });

        await using var stream = (await OpenAsync(To(fake), 0, 99)).Value;

        Assert.Equal((0, -1, true), (stream.TotalSize, stream.EndInclusive, stream.IsWhole));
        Assert.Empty(await ReadAsync(stream));
    }

    [Fact]
    public async Task An_upstream_can_be_an_IPv6_literal()
    {
        var fake = await StartAsync((context, _) => SendContentAsync(context), IPAddress.IPv6Loopback);
        Assert.StartsWith("http://[::1]:", fake.Url.ToString(), StringComparison.Ordinal);

        await using var stream = (await OpenAsync(To(fake))).Value;

        Assert.Equal(Content, await ReadAsync(stream));
    }

    [Fact]
    public async Task Running_bodies_hold_their_slots_and_leave_some_to_small_requests()
    {
        var fake = await StartAsync((context, _) => SendContentAsync(context));
        var upstream = To(fake, options => options.MaxConcurrentRequests = 4);
        var running = new List<BlobStream>();
        for (var i = 0; i < 3; i++)
            running.Add((await OpenAsync(upstream)).Value);

        var fourth = OpenAsync(upstream);
        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);
        Assert.False(fourth.IsCompleted);
        await running[0].DisposeAsync();
        await running[0].DisposeAsync();

        await using (var stream = (await fourth.WaitAsync(TimeSpan.FromSeconds(5))).Value)
            Assert.Equal(Content, await ReadAsync(stream));
        await running[1].DisposeAsync();
        await running[2].DisposeAsync();
    }
}
