using System.Text;
using Entrepot.Contracts;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class ReferrersTests : UpstreamTest
{
    private static string Entry(int n) => $$"""{ "digest":"{{Digest.Sha256Of([(byte)n])}}", "n":{{n}} }""";

    private static Task SendAsync(HttpContext context, string entries, string? next = null, string type = MediaTypes.OciIndex)
    {
        context.Response.ContentType = type;
        if (next is not null) context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
        return context.Response.WriteAsync($$"""{"schemaVersion":2,"manifests":[{{entries}}]}""");
    }

    private Task<UpstreamResult<ReferrerList>> GetAsync(FakeRegistry fake) => Client.GetReferrersAsync(To(fake), Repository, ContentDigest, None);

    [Fact]
    public async Task All_pages_are_read_in_order_each_digest_once_and_every_descriptor_as_sent()
    {
        var fake = await StartAsync((context, fake) => context.Request.Query["p"].ToString() switch
        {
            "" => SendAsync(context, $"{Entry(3)},{Entry(1)}", $"/v2/{Repository}/referrers/{ContentDigest}?p=2"),
            "2" => SendAsync(context, "", $"{fake.Url}v2/{Repository}/referrers/{ContentDigest}?p=3"),
            "3" => SendAsync(context, $"{Entry(1)},{Entry(2)}", "?p=4"),
            _ => SendAsync(context, Entry(0)),
        });

        var list = (await GetAsync(fake)).Value.Referrers;
        Assert.Equal([Entry(3), Entry(1), Entry(2), Entry(0)], list.Select(r => Encoding.UTF8.GetString(r.Json.Span)));
        Assert.Equal($"/v2/{Repository}/referrers/{ContentDigest}", fake.Seen.First().Path);
        Assert.All(fake.Seen, request => Assert.Equal(MediaTypes.OciIndex, request.Accept));
        Assert.Equal(4, fake.Seen.Count);
    }

    [Theory]
    [InlineData(400)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(406)]
    [InlineData(501)]
    public async Task A_registry_without_the_API_is_not_found(int status)
    {
        var fake = await StartAsync(context => context.Response.StatusCode = status);
        AssertFailed(FetchOutcome.NotFound, await GetAsync(fake));
    }

    [Fact]
    public async Task The_page_of_a_user_interface_is_not_found_at_first_and_corrupt_later()
    {
        var fake = await StartAsync((context, _) => SendAsync(context, "", type: "text/html"));
        AssertFailed(FetchOutcome.NotFound, await GetAsync(fake));

        var later = await StartAsync((context, _) => context.Request.Query["p"] == "2" ? SendAsync(context, "", type: "text/html") : SendAsync(context, Entry(1), "?p=2"));
        AssertFailed(FetchOutcome.Corrupt, await GetAsync(later));
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("garbage")]
    [InlineData("")]
    public async Task What_is_no_index_is_corrupt_on_any_page_and_never_empty(string body)
    {
        var first = await StartAsync((context, _) => context.Response.WriteAsync(body));
        AssertFailed(FetchOutcome.Corrupt, await GetAsync(first));

        var later = await StartAsync((context, _) => context.Request.Query["p"] == "2" ? context.Response.WriteAsync(body) : SendAsync(context, Entry(1), "?p=2"));
        AssertFailed(FetchOutcome.Corrupt, await GetAsync(later));
    }

    [Theory]
    [InlineData(400, FetchOutcome.Unavailable)]
    [InlineData(404, FetchOutcome.Unavailable)]
    [InlineData(403, FetchOutcome.Denied)]
    [InlineData(429, FetchOutcome.RateLimited)]
    public async Task A_later_page_that_is_refused_fails_the_whole(int status, FetchOutcome outcome)
    {
        var fake = await StartAsync((context, _) =>
        {
            if (context.Request.Query["p"] != "2") return SendAsync(context, Entry(1), "?p=2");
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        AssertFailed(outcome, await GetAsync(fake));
    }

    [Fact]
    public async Task A_page_on_another_host_is_not_followed_and_a_loop_ends()
    {
        var elsewhere = await StartAsync(_ => { });
        var next = elsewhere.Url + "x";
        var fake = await StartAsync((context, _) => SendAsync(context, Entry(1), next));
        AssertFailed(FetchOutcome.Corrupt, await GetAsync(fake));
        Assert.Empty(elsewhere.Seen);

        next = "?again";
        Assert.Single((await GetAsync(fake)).Value.Referrers);
        Assert.Equal(3, fake.Seen.Count);
    }

    [Fact]
    public async Task Endless_pages_and_endless_bytes_are_too_large()
    {
        var page = 0;
        var pages = await StartAsync((context, _) => SendAsync(context, "", $"?p={Interlocked.Increment(ref page)}"));
        AssertFailed(FetchOutcome.TooLarge, await GetAsync(pages));
        Assert.Equal(200, pages.Seen.Count);

        var filler = new string(' ', 5 * 1024 * 1024);
        var bytes = await StartAsync((context, _) => SendAsync(context, filler, $"?p={Interlocked.Increment(ref page)}"));
        Assert.Contains("more than 16777216 bytes", AssertFailed(FetchOutcome.TooLarge, await GetAsync(bytes)).Message, StringComparison.Ordinal);
        Assert.Equal(4, bytes.Seen.Count);
    }
}
