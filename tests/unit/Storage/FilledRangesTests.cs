using Entrepot.Storage;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class FilledRangesTests
{
    [Fact]
    public void Any_order_of_writes_gives_the_same_answers_as_a_bitmap()
    {
        var random = new Random(1);
        for (var round = 0; round < 300; round++)
        {
            var (ranges, bitmap) = (new FilledRanges(), new bool[60]);
            for (var i = 0; i < 12; i++)
            {
                var start = random.Next(60);
                var end = Math.Min(60, start + random.Next(0, 12));
                ranges.Add(start, end);
                for (var at = start; at < end; at++) bitmap[at] = true;
                if (random.Next(10) == 0)
                {
                    var cut = random.Next(60);
                    ranges.TruncateTo(cut);
                    Array.Fill(bitmap, false, cut, 60 - cut);
                }
                Assert.Equal(bitmap.TakeWhile(b => b).Count(), ranges.Prefix);
                Assert.Equal(bitmap.Count(b => b), ranges.Total);
                for (var at = 0; at < 60; at++)
                {
                    Assert.Equal(at + bitmap.Skip(at).TakeWhile(b => b).Count(), ranges.RunEnd(at));
                    var missing = ranges.Gaps(at, 50).SelectMany(g => Enumerable.Range((int)g.Start, (int)(g.End - g.Start)));
                    Assert.Equal(Enumerable.Range(at, Math.Max(0, 50 - at)).Where(i => !bitmap[i]), missing);
                }
            }
        }
    }
}
