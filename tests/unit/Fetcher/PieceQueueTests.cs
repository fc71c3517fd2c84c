using Entrepot.Fetcher.Work;
using Xunit;

namespace Entrepot.UnitTests.Fetcher;

public sealed class PieceQueueTests
{
    private const long MiB = 1 << 20, Size = 40 * MiB;

    [Theory]
    [InlineData(1L, 8)]
    [InlineData(512 * MiB, 8)]
    [InlineData(1024 * MiB, 16)]
    [InlineData(64 * 1024 * MiB, 64)]
    public void A_piece_is_a_64th_of_the_blob_within_bounds(long size, long mib) => Assert.Equal(mib * MiB, PieceQueue.LengthFor(size));

    [Fact]
    public void Every_missing_byte_is_handed_out_once_the_lowest_first()
    {
        var queue = new PieceQueue(Size, [(3 * MiB, 20 * MiB), (30 * MiB, Size)]);
        Assert.Equal(
            [(3, 8), (8, 16), (16, 20), (30, 32), (32, 40)],
            TakeAll(queue).Select(p => ((int)(p.Start / MiB), (int)(p.End / MiB))));
    }

    [Fact]
    public void What_is_waited_for_goes_first()
    {
        var queue = new PieceQueue(Size, [(0, Size)]);
        Assert.Equal((24 * MiB, 32 * MiB), queue.Take([25 * MiB, 0]));
        Assert.Equal((0, 8 * MiB), queue.Take([26 * MiB, 1]));
        Assert.Equal((8 * MiB, 16 * MiB), queue.Take([27 * MiB]));
    }

    [Fact]
    public void Pieces_that_follow_on_are_taken_together_up_to_a_size_and_over_no_gap()
    {
        var queue = new PieceQueue(Size, [(0, 20 * MiB), (24 * MiB, Size)]);
        Assert.Equal((0, 16 * MiB), queue.Take([], 19 * MiB));
        Assert.Equal((32 * MiB, Size), queue.Take([33 * MiB], Size));
        Assert.Equal((16 * MiB, 20 * MiB), queue.Take([], Size));
        Assert.Equal((24 * MiB, 32 * MiB), queue.Take([], Size));
        Assert.Null(queue.Take([], Size));
    }

    private static IEnumerable<(long Start, long End)> TakeAll(PieceQueue queue)
    {
        while (queue.Take([]) is { } piece) yield return piece;
    }
}
