using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Entrepot.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Entrepot.UnitTests.Hosting;

public sealed class ReadinessFacts
{
    [Fact]
    public async Task An_alive_process_says_ok()
    {
        await using var host = await TestHost.StartAsync();
        using var client = new HttpClient { BaseAddress = host.Address };
        Assert.Equal("ok", await client.GetStringAsync("/healthz"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, (await client.PostAsync("/healthz", new StringContent("x"))).StatusCode);
        using var head = await client.SendAsync(new(HttpMethod.Head, "/healthz"));
        Assert.Equal((HttpStatusCode.OK, 2), (head.StatusCode, head.Content.Headers.ContentLength));
    }

    [Theory]
    [InlineData(PartState.Ok, true, 200, "ok")]
    [InlineData(PartState.Degraded, true, 200, "degraded")]
    [InlineData(PartState.Down, true, 503, "down")]
    [InlineData(PartState.Down, false, 200, "degraded")]
    public async Task Each_part_is_named_and_only_a_required_one_that_is_down_makes_not_ready(PartState state, bool required, int status, string overall)
    {
        var part = new Part("database", required, () => ValueTask.FromResult(new PartHealth(state, "why")));
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton<IReadinessPart>(part).AddSingleton<IReadinessPart>(new Part("store", true, Fine)));
        var (found, json) = await AskAsync(host);
        Assert.Equal((status, overall), ((int)found, json.GetProperty("status").GetString()));
        var database = json.GetProperty("parts").GetProperty("database");
        Assert.Equal(
            (state.ToString(), required, "why"),
            (Capital(database.GetProperty("status").GetString()!), database.GetProperty("required").GetBoolean(), database.GetProperty("detail").GetString()));
        Assert.Equal("ok", json.GetProperty("parts").GetProperty("store").GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_part_that_never_answers_is_down_after_a_second_and_asked_only_once()
    {
        var asked = 0;
        var never = new TaskCompletionSource<PartHealth>();
        var part = new Part("store", true, () =>
        {
            Interlocked.Increment(ref asked);
            return new ValueTask<PartHealth>(never.Task);
        });
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton<IReadinessPart>(part).AddSingleton<TimeProvider>(time));
        var started = TimeProvider.System.GetTimestamp();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await AskAsync(host)).Status);
        Assert.InRange(TimeProvider.System.GetElapsedTime(started).TotalSeconds, 0.9, 5);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await AskAsync(host)).Status);
        Assert.Equal(1, asked);
        never.SetResult(PartHealth.Ok);
        time.Advance(TimeSpan.FromSeconds(2));
        await AskAsync(host);
        time.Advance(TimeSpan.FromSeconds(2));
        never = new();
        never.SetResult(PartHealth.Ok);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(host)).Status);
    }

    [Fact]
    public async Task A_part_that_throws_or_blocks_its_thread_is_down_and_tells_no_secret()
    {
        using var blocked = new ManualResetEventSlim();
        await using var host = await TestHost.StartAsync(services: s => s
            .AddSingleton<IReadinessPart>(new Part("database", true, () => throw new InvalidOperationException("Password=hunter2")))
            .AddSingleton<IReadinessPart>(new Part("disk", false, () =>
            {
                blocked.Wait(TimeSpan.FromSeconds(20));
                return Fine();
            })));
        var (status, json) = await AskAsync(host);
        blocked.Set();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.DoesNotContain("hunter2", json.GetRawText(), StringComparison.Ordinal);
        Assert.Equal("down", json.GetProperty("parts").GetProperty("disk").GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_answer_is_kept_for_a_second_and_shared_by_all_who_ask_meanwhile()
    {
        var asked = 0;
        var part = new Part("database", true, async () =>
        {
            Interlocked.Increment(ref asked);
            await Task.Delay(50);
            return PartHealth.Ok;
        });
        var time = new ManualTime();
        await using var host = await TestHost.StartAsync(services: s => s.AddSingleton<IReadinessPart>(part).AddSingleton<TimeProvider>(time));
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(host)));
        Assert.Equal(1, asked);
        time.Advance(TimeSpan.FromSeconds(1));
        await AskAsync(host);
        Assert.Equal(2, asked);
    }

    private static ValueTask<PartHealth> Fine() => ValueTask.FromResult(PartHealth.Ok);

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];

    private static async Task<(HttpStatusCode Status, JsonElement Json)> AskAsync(TestHost host)
    {
        using var client = new HttpClient { BaseAddress = host.Address };
        using var response = await client.GetAsync("/readyz");
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>());
    }

    private sealed class Part(string name, bool required, Func<ValueTask<PartHealth>> check) : IReadinessPart
    {
        public string Name => name;

        public bool Required => required;

        public ValueTask<PartHealth> CheckAsync(CancellationToken cancellationToken) => check();
    }
}
