using Entrepot.Contracts;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class ListTests : UpstreamTest
{
    [Fact]
    public async Task Tags_are_collected_over_all_pages()
    {
        var fake = await StartAsync((context, _) =>
        {
            var last = context.Request.Query["last"].ToString();
            if (last != "c")
                context.Response.Headers.Link = last == "" ? $"</v2/{Repository}/tags/list?n=1000&last=b>; rel=\"next\"" : $"<list?last=c>; title=\"x\"; rel=next";
            return context.Response.WriteAsync(last switch
            {
                "" => """{"name":"x","tags":["a","b"]}""",
                "b" => """{"name":"x","tags":["b","c"]}""",
                _ => """{"name":"x","tags":null}""",
            });
        });

        Assert.Equal(["a", "b", "c"], (await Client.GetTagsAsync(To(fake), Repository, None)).Value.Tags);
        Assert.Equal(3, fake.Seen.Count);
        Assert.Equal("?n=1000", fake.Seen.First().Query);
    }

    [Fact]
    public async Task A_page_on_another_host_is_not_followed_and_a_loop_ends()
    {
        var elsewhere = await StartAsync(_ => { });
        var link = elsewhere.Url + "x";
        var fake = await StartAsync((context, _) =>
        {
            context.Response.Headers.Link = $"<{link}>; rel=\"next\"";
            return context.Response.WriteAsync("""{"tags":["a"]}""");
        });

        AssertFailed(FetchOutcome.Corrupt, await Client.GetTagsAsync(To(fake), Repository, None));
        Assert.Empty(elsewhere.Seen);

        link = "list?again";
        Assert.Equal(["a"], (await Client.GetTagsAsync(To(fake), Repository, None)).Value.Tags);
        Assert.Equal(3, fake.Seen.Count);
    }

    [Fact]
    public async Task Endless_pages_are_too_large()
    {
        var page = 0;
        var fake = await StartAsync((context, _) =>
        {
            var number = Interlocked.Increment(ref page);
            context.Response.Headers.Link = $"<list?page={number}>; rel=\"next\"";
            return context.Response.WriteAsync($$"""{"tags":["v{{number}}"]}""");
        });

        AssertFailed(FetchOutcome.TooLarge, await Client.GetTagsAsync(To(fake), Repository, None));
        Assert.Equal(200, fake.Seen.Count);
    }

    [Theory]
    [InlineData("<html>", "application/json")]
    [InlineData("[]", "application/json")]
    [InlineData("{}", "text/html")]
    public async Task Something_else_than_a_list_is_corrupt(string body, string type)
    {
        var fake = await StartAsync((context, _) =>
        {
            context.Response.ContentType = type;
            return context.Response.WriteAsync(body);
        });

        AssertFailed(FetchOutcome.Corrupt, await Client.GetTagsAsync(To(fake), Repository, None));
    }

    [Fact]
    public async Task A_page_that_is_missing_in_the_middle_is_an_outage_and_no_absence()
    {
        var fake = await StartAsync((context, _) =>
        {
            if (context.Request.Query["page"] == "2")
            {
                context.Response.StatusCode = 404;
                return Task.CompletedTask;
            }

            context.Response.Headers.Link = "<list?page=2>; rel=next";
            return context.Response.WriteAsync("""{"tags":["a"]}""");
        });

        AssertFailed(FetchOutcome.Unavailable, await Client.GetTagsAsync(To(fake), Repository, None));
    }
}
