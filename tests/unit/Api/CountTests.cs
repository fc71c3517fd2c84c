using Entrepot.Api;
using Entrepot.Api.Access;
using Entrepot.Contracts;
using Entrepot.Hosting;
using Entrepot.Oci;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Entrepot.UnitTests.Api;

public sealed class CountTests
{
    private const int Threads = 4, Each = 250_000;

    [Fact]
    public async Task No_pull_and_no_byte_is_lost_among_threads()
    {
        var count = new PullCount();
        await OnThreadsAsync(i => count.Add(i % 3));
        Assert.Equal((Threads * Each, Threads * Enumerable.Range(0, Each).Sum(i => i % 3)), (count.Pulls, count.Bytes));
    }

    [Fact]
    public async Task No_access_is_lost_while_another_thread_takes_the_counts()
    {
        var count = new AccessCount(Digest.Sha256Of("x"u8));
        long firsts = 0, taken = 0, takes = 0;
        using var stop = new CancellationTokenSource();
        var taking = Task.Factory.StartNew(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                if (count.Take() is not (> 0 and var some)) continue;
                taken += some;
                takes++;
            }
        }, TaskCreationOptions.LongRunning);
        await OnThreadsAsync(_ =>
        {
            if (count.Increment()) Interlocked.Increment(ref firsts);
        });
        await stop.CancelAsync();
        await taking;
        if (count.Take() is > 0 and var rest)
        {
            taken += rest;
            takes++;
        }
        Assert.Equal(Threads * Each, taken);

        // Each time that there is something to be taken, one caller has been told to see to it.
        Assert.Equal(takes, firsts);
    }

    [Fact]
    public async Task What_threads_record_is_published_to_the_last_one()
    {
        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var outbox = new Outbox(services.GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());
        using var recorder = new AccessRecorder(outbox, TimeProvider.System);
        var counts = Enumerable.Range(0, 3).Select(i => new AccessCount(Digest.Sha256Of([(byte)i]))).ToArray();
        await recorder.StartAsync(CancellationToken.None);

        // In several rounds, so that a batch of every five seconds lies in between.
        const int rounds = 7;
        for (var round = 0; round < rounds; round++)
        {
            await OnThreadsAsync(i =>
            {
                recorder.Record(counts[i % 3]);
                if (i % 1000 == 0) recorder.Record(counts[0].Digest, 2);
            });
            await Task.Delay(TimeSpan.FromMilliseconds(900));
        }
        await recorder.StopAsync(CancellationToken.None);

        var batches = new List<ContentAccessed>();
        while (outbox.Waiting.TryRead(out var entry)) batches.Add((ContentAccessed)entry.Message);
        Assert.True(batches.Count >= 2, "no batch was published before the end");
        var published = batches.SelectMany(b => b.Accesses).GroupBy(a => a.Digest).ToDictionary(g => g.Key, g => g.Sum(a => a.Count));
        for (var i = 0; i < 3; i++)
        {
            var expected = (long)rounds * Threads * (Enumerable.Range(0, Each).Count(n => n % 3 == i) + (i == 0 ? Each / 1000 * 2 : 0));
            Assert.Equal(expected, published[counts[i].Digest.ToString()]);
        }
    }

    private static Task OnThreadsAsync(Action<int> work) => Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Factory.StartNew(() =>
    {
        for (var i = 0; i < Each; i++) work(i);
    }, TaskCreationOptions.LongRunning)));
}
