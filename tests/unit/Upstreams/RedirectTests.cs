using Entrepot.Contracts;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class RedirectTests : UpstreamTest
{
    private const string Signature = "?X-Signature=topsecret";

    private Task<FakeRegistry> StartRegistryAsync(Func<string> target, int status = 307) => StartAsync((context, _) =>
    {
        if (context.Request.Headers.Authorization.Count == 0)
        {
            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"fake\"";
        }
        else
        {
            context.Response.StatusCode = status;
            context.Response.Headers.Location = target();
        }

        return Task.CompletedTask;
    });

    private static Entrepot.Upstreams.Upstream WithAccount(FakeRegistry fake) =>
        To(fake, options => (options.Username, options.Password) = ("jane", "secret"));

    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task Authorization_stays_behind_when_a_redirect_goes_to_another_port(int status)
    {
        var cdn = await StartAsync((context, _) => SendContentAsync(context));
        var registry = await StartRegistryAsync(() => cdn.Url + "data" + Signature, status);

        var opened = await OpenAsync(WithAccount(registry));

        await using var stream = opened.Value;
        Assert.Equal(Content, await ReadAsync(stream));
        Assert.Equal(new Uri(cdn.Url + "data" + Signature), stream.Location);
        var seen = Assert.Single(cdn.Seen);
        Assert.Null(seen.Authorization);
        Assert.Equal("identity", seen.AcceptEncoding);
    }

    [Fact]
    public async Task Authorization_goes_along_on_the_same_host_and_never_comes_back_once_left()
    {
        FakeRegistry registry = null!;
        var cdn = await StartAsync(context => context.Response.Redirect(registry.Url + "back"));
        registry = await StartAsync(async (context, fake) =>
        {
            var authorized = context.Request.Headers.Authorization.Count > 0;
            switch (context.Request.Path)
            {
                case "/moved":
                    Assert.True(authorized);
                    context.Response.Redirect(cdn.Url + "x");
                    break;
                case "/back":
                    await SendContentAsync(context);
                    break;
                default:
                    context.Response.StatusCode = authorized ? 307 : 401;
                    context.Response.Headers.WWWAuthenticate = "Basic realm=\"fake\"";
                    context.Response.Headers.Location = "/moved";
                    break;
            }
        });

        var opened = await OpenAsync(WithAccount(registry));

        await using var stream = opened.Value;
        Assert.Equal(Content, await ReadAsync(stream));
        Assert.NotNull(registry.Seen.Single(request => request.Path == "/moved").Authorization);
        Assert.Null(registry.Seen.Single(request => request.Path == "/back").Authorization);
    }

    [Fact]
    public async Task A_location_is_reused_until_it_refuses_and_then_resolved_anew()
    {
        var expired = false;
        var cdn = await StartAsync(async (context, _) =>
        {
            if (expired && context.Request.QueryString.Value == "?first")
                context.Response.StatusCode = 403;
            else
                await SendContentAsync(context);
        });
        var registry = await StartRegistryAsync(() => cdn.Url + (expired ? "data?second" : "data?first"));
        var upstream = WithAccount(registry);

        await using var first = (await OpenAsync(upstream, 0, 99)).Value;
        var before = registry.Seen.Count;
        await using (var second = (await OpenAsync(upstream, 100, 199, first.Location)).Value)
        {
            Assert.Equal(Content[100..200], await ReadAsync(second));
            Assert.Equal(first.Location, second.Location);
        }

        Assert.Equal(before, registry.Seen.Count);
        expired = true;
        await using var third = (await OpenAsync(upstream, 200, 299, first.Location)).Value;
        Assert.Equal(Content[200..300], await ReadAsync(third));
        Assert.Equal("?second", third.Location!.Query);
        Assert.Equal(before + 1, registry.Seen.Count);
    }

    [Fact]
    public async Task Endless_redirects_and_odd_targets_fail_without_telling_the_query()
    {
        var loop = await StartAsync(context => context.Response.Redirect("/again" + Signature));
        var failure = AssertFailed(FetchOutcome.Unavailable, await OpenAsync(To(loop)));
        Assert.DoesNotContain("topsecret", failure.Message, StringComparison.Ordinal);
        Assert.Equal(6, loop.Seen.Count);

        foreach (var target in new[] { "ftp://127.0.0.1/x", "http://user:topsecret@127.0.0.1/x", "file:///etc/passwd" })
        {
            var odd = await StartAsync(context => context.Response.Headers.Location = target, 302);
            failure = AssertFailed(FetchOutcome.Unavailable, await OpenAsync(To(odd)));
            Assert.DoesNotContain("topsecret", failure.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_failing_target_is_named_without_its_query()
    {
        var cdn = await StartAsync(context => context.Response.StatusCode = 418);
        var registry = await StartRegistryAsync(() => cdn.Url + "data" + Signature);

        var failure = AssertFailed(FetchOutcome.Unavailable, await OpenAsync(WithAccount(registry)));

        Assert.Equal(418, failure.Status);
        Assert.DoesNotContain("topsecret", failure.Message, StringComparison.Ordinal);
    }

    private Task<FakeRegistry> StartAsync(Action<HttpContext> answer, int status) => StartAsync(context =>
    {
        context.Response.StatusCode = status;
        answer(context);
    });
}
