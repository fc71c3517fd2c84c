using System.Buffers;
using System.Security.Cryptography;
using Entrepot.Oci;
using Entrepot.Storage;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class SpoolHasherTests : IDisposable
{
    private const int Block = 256 * 1024;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private readonly string _folder = Directory.CreateTempSubdirectory("entrepot-hasher-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Block)]
    [InlineData((3 * Block) + 5)]
    [InlineData((20 * Block) - 1)]
    public async Task What_lies_in_the_file_is_hashed_in_order(int size)
    {
        var bytes = RandomNumberGenerator.GetBytes(size);
        using var file = FileOf(bytes);
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        for (var until = 0; until < size; until += 100_000) hasher.GoOn(file, until);
        hasher.GoOn(file, size);
        await hasher.CaughtUpAsync().WaitAsync(Deadline);
        Assert.Equal(size, hasher.Hashed);
        Assert.Equal(Digest.Sha256Of(bytes), hasher.Finish());
    }

    [Fact]
    public async Task An_array_that_was_handed_over_in_order_is_hashed_where_it_is()
    {
        var bytes = RandomNumberGenerator.GetBytes((6 * Block) + 77);
        using var wrong = FileOf(new byte[bytes.Length]);
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        for (var at = 0; at < bytes.Length; at += Block)
        {
            Offer(hasher, bytes, at);
            hasher.GoOn(wrong, Math.Min(at + Block, bytes.Length));
            await hasher.CaughtUpAsync().WaitAsync(Deadline);
        }
        Assert.Equal(Digest.Sha256Of(bytes), hasher.Finish());
    }

    [Fact]
    public async Task Done_by_the_caller_it_is_done_when_that_goes_on_and_only_with_what_it_waits_for()
    {
        var bytes = RandomNumberGenerator.GetBytes(8 * Block);
        using var file = FileOf(bytes);
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        Assert.True(Try(0, 1));
        Assert.Equal(Block, hasher.Hashed);
        Assert.False(Try(0, 1), "what it has");
        Assert.False(Try(2, 3), "what comes later");

        // What follows was there before: it goes on with that by itself.
        Assert.True(Try(1, 4));
        await hasher.CaughtUpAsync().WaitAsync(Deadline);
        Assert.Equal(4 * Block, hasher.Hashed);
        Offer(hasher, bytes, 4 * Block);
        Assert.False(Try(4, 5), "what it was given before");
        hasher.GoOn(file, 5 * Block);
        await hasher.CaughtUpAsync().WaitAsync(Deadline);
        for (var block = 5; block < 8; block++) Assert.True(Try(block, block + 1));
        Assert.Equal(Digest.Sha256Of(bytes), hasher.Finish());

        bool Try(int block, int until) => hasher.TryHash(file, (long)block * Block, bytes.AsSpan(block * Block, Block), (long)until * Block);
    }

    [Fact]
    public async Task Disposed_while_its_caller_hashes_it_lets_the_caller_end_and_takes_nothing_more()
    {
        var bytes = new byte[128 << 20]; // A tenth of a second of hashing.
        using var file = FileOf([]);
        var hasher = new SpoolHasher(Digest.Sha256Of([]));
        var hashing = Task.Run(() => hasher.TryHash(file, 0, bytes, bytes.Length));
        Assert.True(SpinWait.SpinUntil(() => hashing.IsCompleted || !hasher.CaughtUpAsync().IsCompleted, Deadline));
        hasher.Dispose();
        Assert.True(await hashing.WaitAsync(Deadline));
        Assert.False(hasher.TryHash(file, bytes.Length, new byte[1], bytes.Length + 1));
    }

    [Fact]
    public async Task Who_brings_faster_than_it_hashes_is_held_back_and_let_go()
    {
        var bytes = RandomNumberGenerator.GetBytes(Block);
        using var wrong = FileOf(new byte[Block]);
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        var (at, held, began) = (0L, 0, TimeProvider.System.GetTimestamp());
        while (held < 3 && TimeProvider.System.GetElapsedTime(began) < Deadline)
        {
            // Rented and not copied: nothing is faster.
            hasher.Offer(at, ArrayPool<byte>.Shared.Rent(Block), Block);
            hasher.GoOn(wrong, at += Block);
            var room = hasher.RoomAsync();
            if (room.IsCompleted) continue;
            held++;
            Assert.InRange(at - hasher.Hashed, Block, 20 * Block);
            await room.WaitAsync(Deadline);
        }
        Assert.Equal(3, held);
        await hasher.CaughtUpAsync().WaitAsync(Deadline);
        Assert.Equal(at, hasher.Hashed);
    }

    [Fact]
    public void Behind_what_is_long_to_read_back_nobody_is_held_back()
    {
        const long backlog = 4L << 30;
        var path = Path.Combine(_folder, "sparse");
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, backlog + (32 * Block));
        using var hasher = new SpoolHasher(Digest.Sha256Of([]));
        hasher.GoOn(file, backlog);
        for (var i = 0; i < 32; i++)
        {
            hasher.Offer(backlog + (i * Block), ArrayPool<byte>.Shared.Rent(Block), Block);
            hasher.GoOn(file, backlog + ((i + 1) * Block));
            Assert.True(hasher.RoomAsync().IsCompleted, $"held back after {i + 1}");
        }
        Assert.True(hasher.Hashed < backlog, "it was not long");
    }

    [Fact]
    public async Task An_array_out_of_order_is_let_go_and_read_back_from_the_file()
    {
        var bytes = RandomNumberGenerator.GetBytes(8 * Block);
        using var file = FileOf(bytes);
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        var wrong = new byte[bytes.Length];
        foreach (var at in new[] { 5, 2, 7, 1 }) Offer(hasher, wrong, at * Block);
        Offer(hasher, bytes, 0);
        hasher.GoOn(file, Block);
        hasher.GoOn(file, bytes.Length);
        await hasher.CaughtUpAsync().WaitAsync(Deadline);
        Assert.Equal(Digest.Sha256Of(bytes), hasher.Finish());
    }

    [Fact]
    public async Task Arrays_between_what_is_read_back_and_more_than_it_holds_ahead_hash_right()
    {
        var bytes = RandomNumberGenerator.GetBytes(64 * Block);
        using var file = FileOf(bytes);
        for (var round = 0; round < 10; round++)
        {
            using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
            for (var at = 0; at < bytes.Length; at += Block)
            {
                if (Random.Shared.Next(3) > 0) Offer(hasher, bytes, at);
                if (Random.Shared.Next(4) == 0) await hasher.CaughtUpAsync().WaitAsync(Deadline);
                hasher.GoOn(file, at + Block);
            }
            await hasher.CaughtUpAsync().WaitAsync(Deadline);
            Assert.Equal(Digest.Sha256Of(bytes), hasher.Finish());
        }
    }

    [Fact]
    public async Task An_array_is_the_spools_until_it_is_hashed_however_many_writers_and_whoever_else_rents()
    {
        var bytes = RandomNumberGenerator.GetBytes(40 * Block);
        using var stop = new CancellationTokenSource();

        // Whoever gets an array from the pool writes into it: one that was given back too early would not hash right.
        var others = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                var rented = ArrayPool<byte>.Shared.Rent(Block);
                rented.AsSpan().Fill(0xEE);
                Thread.Yield();
                ArrayPool<byte>.Shared.Return(rented);
            }
        })).ToArray();
        for (var round = 0; round < 10; round++)
        {
            using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(bytes), Path.Combine(_folder, $"many{round}"), TimeProvider.System);
            spool.OpenFile(0);
            spool.Answer(new LiveAnswer("u", "r", bytes.Length));
            await Parallel.ForAsync(0, 40, new ParallelOptions { MaxDegreeOfParallelism = 4 }, async (i, token) =>
            {
                var rented = ArrayPool<byte>.Shared.Rent(Block);
                bytes.AsSpan(i * Block, Block).CopyTo(rented);
                await spool.WriteRentedAsync(i * Block, rented, Block, token);
            });
            Assert.Equal(spool.Digest, await spool.VerifyAsync().WaitAsync(Deadline));
        }
        await stop.CancelAsync();
        await Task.WhenAll(others);
    }

    [Fact]
    public async Task A_file_that_is_shorter_than_what_was_said_is_an_error_for_whoever_waits_and_whoever_comes_later()
    {
        var bytes = RandomNumberGenerator.GetBytes(3 * Block);
        using var file = FileOf(bytes);
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        hasher.GoOn(file, 40 * Block);
        await Assert.ThrowsAsync<EndOfStreamException>(() => hasher.CaughtUpAsync().WaitAsync(Deadline));
        Offer(hasher, bytes, 0);
        hasher.GoOn(file, 50 * Block);
        await Assert.ThrowsAsync<EndOfStreamException>(() => hasher.CaughtUpAsync().WaitAsync(Deadline));
    }

    [Fact]
    public async Task A_file_that_was_closed_is_an_error_and_not_the_end_of_the_process()
    {
        var bytes = RandomNumberGenerator.GetBytes(Block);
        var file = FileOf(bytes);
        file.Dispose();
        using var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
        hasher.GoOn(file, bytes.Length);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => hasher.CaughtUpAsync().WaitAsync(Deadline));
    }

    [Fact]
    public async Task Disposed_in_the_middle_it_stands_still_soon_and_takes_nothing_more()
    {
        var bytes = RandomNumberGenerator.GetBytes(200 * Block);
        using var file = FileOf(bytes);
        for (var round = 0; round < 20; round++)
        {
            var hasher = new SpoolHasher(Digest.Sha256Of(bytes));
            Offer(hasher, bytes, 0);
            hasher.GoOn(file, bytes.Length);
            var caughtUp = hasher.CaughtUpAsync();
            if (round % 2 == 1) SpinWait.SpinUntil(() => hasher.Hashed > 0, Deadline);
            hasher.Dispose();
            await caughtUp.WaitAsync(Deadline);
            Assert.True(hasher.Hashed < bytes.Length, "it has hashed on although it was disposed");
            var hashed = hasher.Hashed;
            Offer(hasher, bytes, (int)hashed);
            hasher.GoOn(file, bytes.Length);
            Assert.True(hasher.CaughtUpAsync().IsCompletedSuccessfully);
            Assert.Equal(hashed, hasher.Hashed);
            hasher.Dispose();
        }
    }

    private static void Offer(SpoolHasher hasher, byte[] bytes, int at)
    {
        var count = Math.Min(Block, bytes.Length - at);
        var rented = ArrayPool<byte>.Shared.Rent(Block);
        bytes.AsSpan(at, count).CopyTo(rented);
        hasher.Offer(at, rented, count);
    }

    private SafeFileHandle FileOf(byte[] bytes)
    {
        var path = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, bytes);
        return File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, FileOptions.Asynchronous);
    }
}
