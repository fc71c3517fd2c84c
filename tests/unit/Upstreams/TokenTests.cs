using System.Text;
using Entrepot.Contracts;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Entrepot.UnitTests.Upstreams;

public sealed class TokenTests : UpstreamTest
{
    private static string RepositoryOf(HttpContext context) => context.Request.Path.Value!["/v2/".Length..].Split("/manifests/")[0].Split("/blobs/")[0];

    /// <summary>A registry whose tokens are named after their scope and their number.</summary>
    private static Func<HttpContext, FakeRegistry, Task> WithTokens(Func<string, int, bool>? accepts = null, string tokenField = "token", string extra = "")
    {
        var issued = 0;
        return async (context, fake) =>
        {
            if (context.Request.Path == "/token")
            {
                await Task.Delay(30);
                var number = Interlocked.Increment(ref issued);
                await context.Response.WriteAsync($"{{\"{tokenField}\":\"{context.Request.Query["scope"].ToString().Replace(':', '_').Replace('/', '_')}.{number}\"{extra}}}");
                return;
            }

            var repository = RepositoryOf(context);
            var token = context.Request.Headers.Authorization.ToString();
            var wanted = $"Bearer repository_{repository.Replace('/', '_')}_pull.";
            if (token.StartsWith(wanted, StringComparison.Ordinal) && (accepts?.Invoke(repository, int.Parse(token[wanted.Length..])) ?? true))
                await SendContentAsync(context);
            else
                fake.Challenge(context, repository);
        };
    }

    [Fact]
    public async Task Twenty_requests_at_once_ask_for_one_token()
    {
        var fake = await StartAsync(WithTokens());
        var upstream = To(fake);

        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)));

        Assert.All(results, result => Assert.Equal(Content.Length, result.Value));
        Assert.Equal(1, fake.Count("/token"));
    }

    [Fact]
    public async Task Each_repository_gets_one_token_and_only_the_very_first_request_a_401()
    {
        var fake = await StartAsync(WithTokens());
        var upstream = To(fake);

        foreach (var repository in new[] { "team/app", "team/other", "team/app", "library/x", "team/other" })
            Assert.True((await Client.HeadBlobAsync(upstream, repository, ContentDigest, None)).IsSuccess);

        Assert.Equal(3, fake.Count("/token"));
        Assert.Equal(1, fake.Seen.Count(request => request.Path.StartsWith("/v2/") && request.Authorization is null));
        Assert.Contains(fake.Seen, request => request.Query == "?service=fake&scope=repository%3Ateam%2Fother%3Apull");
    }

    [Fact]
    public async Task A_refused_token_is_replaced_once()
    {
        var revoked = 0;
        var fake = await StartAsync(WithTokens((_, number) => number > Volatile.Read(ref revoked), "access_token"));
        var upstream = To(fake);
        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);

        Volatile.Write(ref revoked, 1);
        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);

        Assert.Equal(2, fake.Count("/token"));
    }

    [Fact]
    public async Task A_token_is_not_used_beyond_its_life()
    {
        var fake = await StartAsync(WithTokens(extra: ",\"expires_in\":1"));
        var upstream = To(fake);
        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);

        // Nine tenths of its second.
        await Task.Delay(950);
        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);

        Assert.Equal(2, fake.Count("/token"));
        Assert.Equal(3, fake.Count("/v2/"));
    }

    [Fact]
    public async Task An_upstream_that_always_says_401_is_asked_twice_and_then_denied()
    {
        var fake = await StartAsync(WithTokens((_, _) => false));
        var upstream = To(fake);

        var failure = AssertFailed(FetchOutcome.Denied, await Client.GetManifestAsync(upstream, Repository, "latest", None));

        Assert.Equal(401, failure.Status);
        Assert.Contains("401 for manifest team/app:latest", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, fake.Count("/manifests/"));
        Assert.Equal(1, fake.Count("/token"));
    }

    [Fact]
    public async Task The_account_goes_to_the_token_service_as_Basic_and_to_the_registry_as_token()
    {
        var fake = await StartAsync(WithTokens());
        var upstream = To(fake, options => (options.Username, options.Password) = ("jane", "pass:wörd"));

        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);

        var basic = "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("jane:pass:wörd"));
        Assert.Equal(basic, Assert.Single(fake.Seen, request => request.Path == "/token").Authorization);
        Assert.DoesNotContain(fake.Seen, request => request.Path != "/token" && request.Authorization == basic);
    }

    [Fact]
    public async Task Basic_is_sent_when_challenged_and_then_at_once()
    {
        var fake = await StartAsync(async (context, _) =>
        {
            if (context.Request.Headers.Authorization == "Basic " + Convert.ToBase64String("jane:secret"u8))
            {
                await SendContentAsync(context);
                return;
            }

            context.Response.StatusCode = 401;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"fake\"";
        });
        var upstream = To(fake, options => (options.Username, options.Password) = ("jane", "secret"));

        Assert.True((await Client.HeadBlobAsync(upstream, Repository, ContentDigest, None)).IsSuccess);
        Assert.True((await Client.HeadBlobAsync(upstream, "team/other", ContentDigest, None)).IsSuccess);
        Assert.Equal(3, fake.Seen.Count);

        var wrong = To(fake, options => (options.Username, options.Password) = ("jane", "wrong"));
        var failure = AssertFailed(FetchOutcome.Denied, await Client.GetManifestAsync(wrong, Repository, "latest", None));
        Assert.DoesNotContain("wrong", failure.Message, StringComparison.Ordinal);
        AssertFailed(FetchOutcome.Denied, await Client.GetManifestAsync(To(fake), Repository, "latest", None));
    }

    [Theory]
    [InlineData("http://localhost:1/token")]
    [InlineData("http://127.0.0.2:1/token")]
    [InlineData("http://user:pw@127.0.0.1:1/token")]
    [InlineData("ftp://127.0.0.1/token")]
    [InlineData("not an address")]
    public async Task A_realm_elsewhere_is_not_contacted(string realm)
    {
        var fake = await StartAsync((context, fake) =>
        {
            fake.Challenge(context, Repository, realm);
            return Task.CompletedTask;
        });

        var failure = AssertFailed(FetchOutcome.Denied, await Client.GetManifestAsync(
            To(fake, options => (options.Username, options.Password) = ("jane", "secret")), Repository, "latest", None));

        Assert.Contains("token realm", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("pw", failure.Message, StringComparison.Ordinal);
        Assert.Single(fake.Seen);
    }

    [Fact]
    public async Task A_hostile_realm_gets_no_request_until_it_is_allowed()
    {
        var spy = await StartAsync((context, _) => context.Response.WriteAsync("{\"token\":\"t\"}"), System.Net.IPAddress.Parse("127.0.0.2"));
        var fake = await StartAsync(async (context, fake) =>
        {
            if (context.Request.Headers.Authorization == "Bearer t")
                await SendContentAsync(context);
            else
                fake.Challenge(context, Repository, spy.Url + "token?account=x");
        });

        var failure = AssertFailed(FetchOutcome.Denied, await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None));
        Assert.Contains($"add '{spy.Url.Authority}' to Upstreams:fake.test:TokenHosts", failure.Message, StringComparison.Ordinal);
        Assert.Empty(spy.Seen);

        var allowed = To(fake, options => options.TokenHosts = ["127.0.0.2"]);
        Assert.True((await Client.HeadBlobAsync(allowed, Repository, ContentDigest, None)).IsSuccess);
        Assert.Equal("?account=x&service=fake&scope=repository%3Ateam%2Fapp%3Apull", Assert.Single(spy.Seen).Query);
    }

    [Theory]
    [InlineData(403, "", FetchOutcome.Denied)]
    [InlineData(429, "", FetchOutcome.RateLimited)]
    [InlineData(404, "", FetchOutcome.Unavailable)]
    [InlineData(200, "<html>", FetchOutcome.Unavailable)]
    [InlineData(200, "{\"token\":\"two\\nlines\"}", FetchOutcome.Unavailable)]
    [InlineData(200, "{\"token\":\"\"}", FetchOutcome.Unavailable)]
    public async Task What_the_token_service_says_becomes_the_outcome(int status, string body, FetchOutcome outcome)
    {
        var fake = await StartAsync(async (context, fake) =>
        {
            if (context.Request.Path != "/token")
            {
                fake.Challenge(context, Repository);
                return;
            }

            context.Response.StatusCode = status;
            await context.Response.WriteAsync(body);
        });

        AssertFailed(outcome, await Client.HeadBlobAsync(To(fake), Repository, ContentDigest, None));
    }

    [Fact]
    public async Task One_waiter_that_gives_up_does_not_take_the_token_from_the_others()
    {
        var go = new TaskCompletionSource();
        var fake = await StartAsync(async (context, fake) =>
        {
            if (context.Request.Path == "/token")
            {
                await go.Task;
                await context.Response.WriteAsync("{\"token\":\"t\"}");
            }
            else if (context.Request.Headers.Authorization == "Bearer t")
            {
                await SendContentAsync(context);
            }
            else
            {
                fake.Challenge(context, Repository);
            }
        });
        var upstream = To(fake);
        using var impatient = new CancellationTokenSource();

        var first = Client.HeadBlobAsync(upstream, Repository, ContentDigest, impatient.Token);
        while (fake.Count("/token") == 0)
            await Task.Delay(5);
        var second = Client.HeadBlobAsync(upstream, Repository, ContentDigest, None);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        go.SetResult();

        Assert.True((await second).IsSuccess);
        Assert.Equal(1, fake.Count("/token"));
    }
}
