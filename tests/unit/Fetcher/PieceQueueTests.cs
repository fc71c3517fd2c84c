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
    public void What_is_waited_for_goes_first_from_its_first_byte_on()
    {
        var queue = new PieceQueue(Size, [(0, Size)]);
        Assert.Equal((25 * MiB, 32 * MiB), queue.Take([25 * MiB]));
        Assert.Equal((1, 8 * MiB), queue.Take([26 * MiB, 1]));
        Assert.Equal((8 * MiB, 16 * MiB), queue.Take([]) is (0, 1) ? queue.Take([27 * MiB]) : null);
    }

    [Fact]
    public void Of_several_who_wait_each_gets_a_short_piece_in_its_turn()
    {
        var queue = new PieceQueue(Size, [(0, Size)]);
        Assert.Equal((20 * MiB, 21 * MiB), queue.Take([20 * MiB, 3 * MiB, 30 * MiB], Size));
        Assert.Equal((3 * MiB, 4 * MiB), queue.Take([20 * MiB, 3 * MiB, 30 * MiB]));
        Assert.Equal((30 * MiB, 32 * MiB), queue.Take([20 * MiB, 3 * MiB, 30 * MiB]));
        Assert.Equal([(0, 3), (4, 8), (8, 16), (16, 20), (21, 24), (24, 30), (32, 40)], TakeAll(queue).Select(p => ((int)(p.Start / MiB), (int)(p.End / MiB))));
    }

    [Fact]
    public void Pieces_that_follow_on_are_taken_together_up_to_a_size_and_over_no_gap()
    {
        var queue = new PieceQueue(Size, [(0, 20 * MiB), (24 * MiB, Size)]);
        Assert.Equal((0, 16 * MiB), queue.Take([], 19 * MiB));
        Assert.Equal((33 * MiB, Size), queue.Take([33 * MiB], Size));
        Assert.Equal((16 * MiB, 20 * MiB), queue.Take([], Size));
        Assert.Equal((24 * MiB, 33 * MiB), queue.Take([], Size));
        Assert.Null(queue.Take([], Size));
    }

    private static IEnumerable<(long Start, long End)> TakeAll(PieceQueue queue)
    {
        while (queue.Take([]) is { } piece) yield return piece;
    }
}
