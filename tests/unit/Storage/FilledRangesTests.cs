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
                for (var at = 0; at < 60; at++)
                {
                    Assert.Equal(at + bitmap.Skip(at).TakeWhile(b => b).Count(), ranges.RunEnd(at));
                    var next = Array.IndexOf(bitmap, true, at);
                    Assert.Equal(next < 0 ? 60 : next, ranges.NextFilled(at, 60));
                }
            }
        }
    }
}
