using Entrepot.Oci;
using Xunit;

namespace Entrepot.UnitTests.Oci;

public sealed class ByteRangesTests
{
    private const string Max = "9223372036854775807";
    private const string Huge = "99999999999999999999999999";

    [Theory]
    [InlineData("bytes=0-0", 1000, "0+1")]
    [InlineData("bytes=0-499", 1000, "0+500")]
    [InlineData("bytes=500-1499", 2000, "500+1000")]
    [InlineData("bytes=500-1499", 1000, "500+500")]
    [InlineData("bytes=500-", 1000, "500+500")]
    [InlineData("bytes=0-", 1000, "0+1000")]
    [InlineData("bytes=-500", 1000, "500+500")]
    [InlineData("bytes=-1", 1000, "999+1")]
    [InlineData("bytes=-5000", 1000, "0+1000")]
    [InlineData("bytes=999-", 1000, "999+1")]
    [InlineData("bytes=999-999", 1000, "999+1")]
    [InlineData("bytes=0-" + Max, 1000, "0+1000")]
    [InlineData("bytes=0-" + Huge, 1000, "0+1000")]
    [InlineData("bytes=-" + Huge, 1000, "0+1000")]
    [InlineData("bytes=00000000000000000000000000001-2", 1000, "1+2")]
    [InlineData("BYTES=1-2", 1000, "1+2")]
    [InlineData("  bytes=1-2  ", 1000, "1+2")]
    [InlineData("bytes= 1-2 ,, 4-5 ,", 1000, "1+2,4+2")]
    [InlineData("bytes=4-5,1-2", 1000, "4+2,1+2")]
    [InlineData("bytes=0-1,2-3", 1000, "0+2,2+2")]
    [InlineData("bytes=0-9,5-14", 1000, "0+10,5+10")]
    [InlineData("bytes=1-2,1-2", 1000, "1+2,1+2")]
    [InlineData("bytes=1-2,5000-6000", 1000, "1+2")]
    [InlineData("bytes=1-2,-3", 1000, "1+2,997+3")]
    [InlineData("bytes=1-2,-0", 1000, "1+2")]
    [InlineData("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15", 16,
        "0+1,1+1,2+1,3+1,4+1,5+1,6+1,7+1,8+1,9+1,10+1,11+1,12+1,13+1,14+1,15+1")]
    public void Ranges_are_served_as_asked(string header, long size, string expected)
    {
        var read = Assert.IsType<ByteRanges.Satisfiable>(ByteRanges.Parse(header, size));
        Assert.Equal(expected, string.Join(',', read.Ranges.Select(r => $"{r.Start}+{r.Length}")));
        Assert.All(read.Ranges, r => Assert.Equal(r.Start + r.Length - 1, r.End));
    }

    [Theory]
    [InlineData("bytes=1000-", 1000)]
    [InlineData("bytes=1000-2000", 1000)]
    [InlineData("bytes=" + Huge + "-", 1000)]
    [InlineData("bytes=" + Max + "-" + Max, 1000)]
    [InlineData("bytes=500-0", 1000)]
    [InlineData("bytes=2000-1000", 1000)]
    [InlineData("bytes=1-2,500-0", 1000)]
    [InlineData("bytes=-0", 1000)]
    [InlineData("bytes=1000-,2000-", 1000)]
    [InlineData("bytes=0-", 0)]
    [InlineData("bytes=0-0", 0)]
    [InlineData("bytes=-1", 0)]
    [InlineData("bytes=5-10", 0)]
    public void Ranges_without_a_byte_are_unsatisfiable(string header, long size) =>
        Assert.IsType<ByteRanges.Unsatisfiable>(ByteRanges.Parse(header, size));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("   ")]
    [InlineData("bytes")]
    [InlineData("bytes=")]
    [InlineData("bytes=,")]
    [InlineData("bytes=-")]
    [InlineData("bytes=--1")]
    [InlineData("bytes=1")]
    [InlineData("bytes=a-b")]
    [InlineData("bytes=1-b")]
    [InlineData("bytes=a-2")]
    [InlineData("bytes=1-2-3")]
    [InlineData("bytes=1 - 2")]
    [InlineData("bytes=+1-2")]
    [InlineData("bytes=1-+2")]
    [InlineData("bytes=0x1-0x2")]
    [InlineData("bytes=1.5-2")]
    [InlineData("bytes=١-٢")]
    [InlineData("bytes=1-2;3-4")]
    [InlineData("bytes=1-2,garbage")]
    [InlineData("bytes 1-2")]
    [InlineData("bytes =1-2")]
    [InlineData("foo=1-2")]
    [InlineData("items=0-5")]
    [InlineData("bytesx=1-2")]
    [InlineData("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9,10-10,11-11,12-12,13-13,14-14,15-15,16-16")]
    [InlineData("bytes=0-,0-,0-,0-")]
    [InlineData("bytes=0-,-1")]
    public void Anything_else_is_ignored(string? header)
    {
        Assert.IsType<ByteRanges.Ignored>(ByteRanges.Parse(header, 1000));
        if (header != "bytes=0-,0-,0-,0-" && header != "bytes=0-,-1")
            Assert.IsType<ByteRanges.Ignored>(ByteRanges.Parse(header, 0));
    }

    [Fact]
    public void The_largest_content_does_not_overflow()
    {
        var read = Assert.IsType<ByteRanges.Satisfiable>(ByteRanges.Parse("bytes=0-", long.MaxValue));
        Assert.Equal(new ByteRange(0, long.MaxValue), Assert.Single(read.Ranges));
        Assert.IsType<ByteRanges.Ignored>(ByteRanges.Parse("bytes=0-,0-,0-", long.MaxValue));
        Assert.IsType<ByteRanges.Unsatisfiable>(ByteRanges.Parse($"bytes={Huge}-{Huge}", long.MaxValue));
    }

    [Fact]
    public void A_negative_size_is_a_mistake_of_the_caller() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ByteRanges.Parse("bytes=0-", -1));

    [Fact]
    public void Random_headers_never_throw_and_never_leave_the_content()
    {
        var random = new Random(4);
        var kinds = new Dictionary<Type, int>();
        for (var i = 0; i < 100_000; i++)
        {
            var header = (random.Next(10) > 0 ? "bytes=" : "") + new string(random.GetItems<char>("0123--,, 9", random.Next(14)));
            long size = random.Next(0, 300);
            var read = ByteRanges.Parse(header, size);
            kinds[read.GetType()] = kinds.GetValueOrDefault(read.GetType()) + 1;
            if (read is ByteRanges.Satisfiable { Ranges: var ranges })
            {
                Assert.InRange(ranges.Count, 1, ByteRanges.MaxCount);
                Assert.All(ranges, r => Assert.True(r.Start >= 0 && r.Length > 0 && r.Start + r.Length <= size, header));
                Assert.True(ranges.Sum(r => r.Length) <= size, header);
            }
        }

        Assert.Equal(3, kinds.Count);
    }
}
