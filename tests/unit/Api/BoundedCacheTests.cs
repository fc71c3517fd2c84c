using Entrepot.Api.Index;
using Xunit;

namespace Entrepot.UnitTests.Api;

public sealed class BoundedCacheTests
{
    [Fact]
    public void An_entry_is_current_until_it_is_replaced_forgotten_or_pushed_out()
    {
        var cache = new BoundedCache<string, Entry>(1000);
        var (first, second, forgotten, pushedOut) = (NewEntry(), NewEntry(), NewEntry(), NewEntry());
        cache.Set("a", first);
        Assert.True(first.IsCurrent);
        cache.Set("a", second);
        Assert.Equal((false, true), (first.IsCurrent, second.IsCurrent));
        Assert.True(cache.TryGet("a", out var found));
        Assert.Same(second, found);

        cache.Set("b", forgotten);
        cache.Remove("b");
        Assert.Equal((false, false), (forgotten.IsCurrent, cache.TryGet("b", out _)));

        cache.Set("c", pushedOut);
        for (var i = 0; i < 30; i++) cache.Set($"more{i}", NewEntry());
        Assert.Equal((false, false), (pushedOut.IsCurrent, cache.TryGet("c", out _)));
    }

    [Fact]
    public void What_is_read_stays_and_what_is_not_goes_first()
    {
        var cache = new BoundedCache<int, Entry>(10 * 100);
        cache.Set(-1, NewEntry());
        for (var i = 0; i < 200; i++)
        {
            Assert.True(cache.TryGet(-1, out _), $"what was read all the time had gone before entry {i}");
            cache.Set(i, NewEntry());
        }
        Assert.False(cache.TryGet(0, out _));
    }

    [Fact]
    public void A_use_that_went_past_the_cache_counts_too()
    {
        var cache = new BoundedCache<int, Entry>(10 * 100);
        var used = NewEntry();
        cache.Set(-1, used);
        for (var i = 0; i < 200; i++)
        {
            used.Use();
            cache.Set(i, NewEntry());
            Assert.True(used.IsCurrent, $"what was used all the time was pushed out by entry {i}");
        }
    }

    [Fact]
    public void It_holds_no_more_than_its_bound_whatever_is_read_and_replaced()
    {
        var cache = new BoundedCache<int, Entry>(50 * 100);
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            cache.Set(random.Next(300), NewEntry());
            cache.TryGet(random.Next(300), out _);
            if (i % 7 == 0) cache.Remove(random.Next(300));
        }
        var held = Enumerable.Range(0, 300).Count(key => cache.TryGet(key, out _));
        Assert.InRange(held, 1, 50);
    }

    [Fact]
    public void Alone_too_large_for_the_cache_an_entry_is_not_current()
    {
        var cache = new BoundedCache<int, Entry>(10);
        var entry = NewEntry();
        cache.Set(1, entry);
        Assert.Equal((false, false), (entry.IsCurrent, cache.TryGet(1, out _)));
    }

    [Fact]
    public async Task Among_threads_just_what_is_found_is_current()
    {
        var cache = new BoundedCache<int, Entry>(60 * 100);
        var made = await Task.WhenAll(Enumerable.Range(0, 4).Select(seed => Task.Factory.StartNew(() =>
        {
            var random = new Random(seed);
            var mine = new List<(int Key, Entry Entry)>();
            for (var i = 0; i < 50_000; i++)
            {
                var key = random.Next(100);
                switch (random.Next(4))
                {
                    case 0:
                        cache.Remove(key);
                        break;
                    case 1:
                        cache.TryGet(key, out _);
                        break;
                    default:
                        var entry = NewEntry();
                        cache.Set(key, entry);
                        mine.Add((key, entry));
                        break;
                }
            }
            return mine;
        }, TaskCreationOptions.LongRunning)));
        foreach (var (key, entry) in made.SelectMany(m => m))
            Assert.Equal(cache.TryGet(key, out var found) && found == entry, entry.IsCurrent);
        Assert.Contains(made.SelectMany(m => m), m => m.Entry.IsCurrent);
    }

    private static Entry NewEntry() => new() { LoadedAt = 0 };

    private sealed class Entry : IndexEntry
    {
        public override long WeightBytes => 100;
    }
}
