using System.Text;
using Entrepot.Api.Tail;
using Entrepot.Fetcher;
using Entrepot.Hosting;
using Entrepot.Storage;
using Entrepot.UnitTests.Hosting;
using Entrepot.UnitTests.Upstreams;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Entrepot.UnitTests.Api;

/// <summary>What a replica makes of a fetcher that does not do as it should.</summary>
public sealed class RemoteFetchTests : IDisposable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(15);
    private readonly TestHost.LogSink _log = new();
    private readonly ILoggerFactory _logging;
    private readonly RemoteFetches _fetches;

    public RemoteFetchTests()
    {
        _logging = LoggerFactory.Create(logging => logging.AddProvider(_log));
        _fetches = new RemoteFetches(new InternalSettings { Token = "token-of-the-tests-alone" }, TimeProvider.System, _logging.CreateLogger<RemoteFetches>());
    }

    public void Dispose()
    {
        _fetches.Dispose();
        _logging.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_that_leaves_an_owner_that_says_nothing_leaves_no_connection_behind(bool afterHeaders)
    {
        var (asked, left) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var owner = await FakeRegistry.StartAsync(async (http, fake) =>
        {
            if (afterHeaders)
            {
                (http.Response.StatusCode, http.Response.ContentLength) = (206, 1 << 20);
                await http.Response.StartAsync();
            }
            using var end = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, fake.Closing);
            using var _ = http.RequestAborted.Register(left.SetResult);
            asked.SetResult();
            await Task.Delay(Timeout.Infinite, end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        });
        var source = (await FindAsync(owner.Url)).OpenOrNull(0)!;
        var waiting = source.WaitAsync(0, CancellationToken.None).AsTask();
        await asked.Task.WaitAsync(Soon);
        source.Dispose();
        await left.Task.WaitAsync(Soon);
        await waiting.ContinueWith(_ => { }, TaskScheduler.Default).WaitAsync(Soon);
    }

    [Fact]
    public async Task Two_tokens_are_told_at_both_ends_once_and_are_no_word_on_the_download()
    {
        await using var fetcher = await TestHost.StartAsync(
            services: s => s.AddSingleton(new LiveSpools()).AddSingleton(new InternalSettings { Token = "another-token-altogether" }), pipeline: app => app.MapFetcher());
        for (var i = 0; i < 3; i++)
        {
            var fetch = await FindAsync(fetcher.Address);
            Assert.Null(await fetch.WaitForAnswerAsync(CancellationToken.None));
            Assert.True(fetch.IsOwnerSilent);
            using var source = fetch.OpenOrNull(0)!;
            Assert.False(await source.WaitAsync(0, CancellationToken.None));
        }
        Assert.Equal([$"Warning: Fetcher {fetcher.Address.GetLeftPart(UriPartial.Authority)} could not be read from: it answers 401: its Internal:Token is another than ours"], _log.Lines);
        Assert.Single(fetcher.Log.Lines, line => line.StartsWith("Warning: A reader at 127.0.0.1 was refused", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(500, "it answers 500")]
    [InlineData(200, "something else than a fetcher answers there")]
    public async Task What_is_no_answer_of_a_fetcher_is_told_with_its_address(int status, string problem)
    {
        await using var owner = await FakeRegistry.StartAsync((http, _) =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        var fetch = await FindAsync(owner.Url);
        Assert.Null(await fetch.WaitForAnswerAsync(CancellationToken.None));
        Assert.True(fetch.IsOwnerSilent);
        Assert.Equal([$"Warning: Fetcher {owner.Url.GetLeftPart(UriPartial.Authority)} could not be read from: {problem}"], _log.Lines);
    }

    [Fact]
    public async Task An_address_where_nobody_listens_is_told()
    {
        var owner = await FakeRegistry.StartAsync((_, _) => Task.CompletedTask);
        await owner.DisposeAsync();
        var fetch = await FindAsync(owner.Url);
        Assert.Null(await fetch.WaitForAnswerAsync(CancellationToken.None));
        Assert.True(fetch.IsOwnerSilent);
        Assert.Contains(_log.Lines, line => line.StartsWith($"Warning: Fetcher {owner.Url.GetLeftPart(UriPartial.Authority)} could not be read from: Connection refused", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_owner_that_does_not_know_its_claim_is_heard_and_opens_nothing_more()
    {
        await using var fetcher = await TestHost.StartAsync(
            services: s => s.AddSingleton(new LiveSpools()).AddSingleton(new InternalSettings { Token = "token-of-the-tests-alone" }), pipeline: app => app.MapFetcher());
        var fetch = await FindAsync(fetcher.Address);
        using var source = fetch.OpenOrNull(0)!;
        Assert.False(await source.WaitAsync(0, CancellationToken.None));
        Assert.False(fetch.IsOwnerSilent);
        Assert.Null(fetch.OpenOrNull(0));
        Assert.Empty(_log.Lines);
    }

    private async Task<ILiveFetch> FindAsync(Uri owner) => (await _fetches.FindOrNullAsync(Guid.NewGuid(), 7, owner.ToString(), CancellationToken.None))!;
}
