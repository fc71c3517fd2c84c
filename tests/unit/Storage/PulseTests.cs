using System.Diagnostics;
using Entrepot.Storage;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class PulseTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_waiter_is_woken_at_once_by_a_fire_and_soon_by_one_that_follows_another()
    {
        var pulse = new Pulse();
        var first = pulse.Next;
        pulse.FireSoon();
        Assert.True(first.IsCompletedSuccessfully, "the first is fired on the spot");

        // A few milliseconds by the code; a busy machine gets more.
        var second = pulse.Next;
        pulse.FireSoon();
        await second.WaitAsync(Deadline);
    }

    [Fact]
    public async Task Many_fires_wake_a_waiter_few_times()
    {
        var pulse = new Pulse();
        using var stop = new CancellationTokenSource();
        var (wakes, fires) = (0, 0);
        var waiting = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await pulse.Next;
                Interlocked.Increment(ref wakes);
            }
        });
        var began = Stopwatch.GetTimestamp();
        for (; fires < 100_000 || Volatile.Read(ref wakes) == 0; fires++)
        {
            pulse.FireSoon();
            if (Stopwatch.GetElapsedTime(began) > Deadline) break;
        }
        var took = Stopwatch.GetElapsedTime(began);
        await stop.CancelAsync();
        while (!waiting.IsCompleted) pulse.Fire();
        await waiting.WaitAsync(Deadline);
        Assert.True(fires >= 100_000, $"{fires} fires");
        Assert.InRange(wakes, 1, (int)(took.TotalMilliseconds / 2) + 10);
    }

    /// <summary>The two sides at the same moment, over and over: whoever looks before the change must have been seen waiting.</summary>
    [Fact]
    public async Task A_change_is_seen_or_its_pulse_is_felt_whoever_comes_first()
    {
        const int rounds = 100_000;
        var (pulses, changed, next, seen) = (new Pulse[rounds], new int[rounds * 16], new Task[rounds], new bool[rounds]);
        for (var i = 0; i < rounds; i++) pulses[i] = new Pulse();
        int writerAt = -1, waiterAt = -1;

        var writer = Task.Factory.StartNew(() =>
        {
            for (var i = 0; i < rounds; i++)
            {
                Meet(ref writerAt, ref waiterAt, i);
                changed[i * 16] = 1;
                pulses[i].FireSoon();
            }
        }, TaskCreationOptions.LongRunning);
        var waiter = Task.Factory.StartNew(() =>
        {
            for (var i = 0; i < rounds; i++)
            {
                Meet(ref waiterAt, ref writerAt, i);
                next[i] = pulses[i].Next;
                seen[i] = Volatile.Read(ref changed[i * 16]) == 1;
            }
        }, TaskCreationOptions.LongRunning);
        await Task.WhenAll(writer, waiter).WaitAsync(TimeSpan.FromMinutes(2));

        for (var i = 0; i < rounds; i++)
        {
            if (seen[i]) continue;
            await next[i].WaitAsync(Deadline);
        }
    }

    [Fact]
    public async Task Nobody_is_lost_under_four_writers_that_fire_ten_thousand_times()
    {
        const int writers = 4, fires = 10_000, followers = 6, checkEvery = 100;
        var pulse = new Pulse();
        var values = new long[writers * 16];
        var seen = new long[followers * writers * 16];

        var following = Enumerable.Range(0, followers).Select(follower => Task.Run(async () =>
        {
            while (true)
            {
                var next = pulse.Next;
                var done = true;
                for (var w = 0; w < writers; w++)
                {
                    var value = Volatile.Read(ref values[w * 16]);
                    Volatile.Write(ref seen[((follower * writers) + w) * 16], value);
                    done &= value == fires;
                }
                if (done) return;
                await next.WaitAsync(Deadline);
            }
        })).ToArray();
        var writing = Enumerable.Range(0, writers).Select(w => Task.Factory.StartNew(() =>
        {
            for (var i = 1; i <= fires; i++)
            {
                Volatile.Write(ref values[w * 16], i);
                pulse.FireSoon();
                if (i % checkEvery != 0) continue;

                // Nobody fires for this one again until all have seen it.
                var began = Stopwatch.GetTimestamp();
                for (var f = 0; f < followers; f++)
                {
                    while (Volatile.Read(ref seen[((f * writers) + w) * 16]) < i)
                    {
                        if (Stopwatch.GetElapsedTime(began) > Deadline) Assert.Fail($"follower {f} has not seen {i} of writer {w} within {Deadline.TotalSeconds} s");
                        Thread.Sleep(1);
                    }
                }
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        await Task.WhenAll(writing.Concat(following)).WaitAsync(TimeSpan.FromMinutes(2));
    }

    private static void Meet(ref int mine, ref int theirs, int round)
    {
        Volatile.Write(ref mine, round);
        var spin = new SpinWait();
        while (Volatile.Read(ref theirs) < round) spin.SpinOnce(sleep1Threshold: -1);
    }
}
