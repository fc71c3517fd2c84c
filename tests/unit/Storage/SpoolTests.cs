using System.Security.Cryptography;
using Entrepot.Oci;
using Entrepot.Storage;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class SpoolTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    private readonly string _folder = Directory.CreateTempSubdirectory("entrepot-spool-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Readers_get_everything_but_the_last_64_KiB_before_the_digest_is_verified()
    {
        var bytes = RandomNumberGenerator.GetBytes(300_000);
        using var spool = Answered(bytes);
        await spool.WriteAsync(0, bytes, default);
        using var reader = spool.OpenOrNull(0)!;

        Assert.Equal(bytes.Length - Spool.HoldBack, await ReadAsync(reader, 0, new byte[bytes.Length]));
        Assert.False(reader.WaitAsync(bytes.Length - Spool.HoldBack, default).AsTask().IsCompleted);

        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        var all = new byte[bytes.Length];
        Assert.Equal(bytes.Length, await ReadAsync(reader, 0, all));
        Assert.Equal(bytes, all);
    }

    [Fact]
    public async Task A_blob_smaller_than_the_hold_back_is_held_back_whole()
    {
        var bytes = RandomNumberGenerator.GetBytes(1000);
        using var spool = Answered(bytes);
        await spool.WriteAsync(0, bytes, default);
        using var reader = spool.OpenOrNull(0)!;
        var waiting = reader.WaitAsync(0, default).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        Assert.True(await waiting.WaitAsync(Deadline));
    }

    [Fact]
    public async Task Bytes_that_do_not_match_end_every_reader_short()
    {
        var bytes = RandomNumberGenerator.GetBytes(200_000);
        using var spool = Answered(bytes);
        bytes[^1] ^= 1;
        await spool.WriteAsync(0, bytes, default);
        using var reader = spool.OpenOrNull(0)!;
        var waiting = reader.WaitAsync(bytes.Length - 10, default).AsTask();
        Assert.NotEqual(spool.Digest, await spool.VerifyAsync() ?? throw new InvalidOperationException());
        spool.End();
        Assert.False(await waiting.WaitAsync(Deadline));
        Assert.Null(spool.OpenOrNull(0));
    }

    [Fact]
    public async Task Pieces_written_in_any_order_by_many_writers_hash_to_the_digest()
    {
        var bytes = RandomNumberGenerator.GetBytes(5_000_000);
        for (var round = 0; round < 5; round++)
        {
            using var spool = Answered(bytes);
            var pieces = Enumerable.Range(0, 50).Select(i => i * 100_000).OrderBy(_ => Random.Shared.Next()).ToArray();
            await Parallel.ForEachAsync(pieces, new ParallelOptions { MaxDegreeOfParallelism = 8 },
                async (at, stop) => await spool.WriteAsync(at, bytes.AsMemory(at, 100_000), stop));
            Assert.Equal(spool.Digest, await spool.VerifyAsync());
        }
    }

    [Fact]
    public async Task A_range_is_readable_as_soon_as_its_bytes_are_there()
    {
        var bytes = RandomNumberGenerator.GetBytes(1_000_000);
        using var spool = Answered(bytes);
        using var reader = spool.OpenOrNull(500_000)!;
        var waiting = reader.WaitAsync(500_000, default).AsTask();
        Assert.Equal([500_000L], spool.Wanted());
        await spool.WriteAsync(400_000, bytes.AsMemory(400_000, 200_000), default);
        Assert.True(await waiting.WaitAsync(Deadline));
        Assert.Empty(spool.Wanted());
        Assert.Equal(0, spool.Prefix);
    }

    [Fact]
    public async Task Who_has_waited_longest_is_wanted_first()
    {
        var bytes = RandomNumberGenerator.GetBytes(1_000_000);
        using var spool = Answered(bytes);
        using var far = spool.OpenOrNull(600_000)!;
        using var near = spool.OpenOrNull(100_000)!;
        var (farWait, nearWait) = (far.WaitAsync(600_000, default).AsTask(), near.WaitAsync(100_000, default).AsTask());
        Assert.Equal([600_000L, 100_000], spool.Wanted());
        await spool.WriteAsync(600_000, bytes.AsMemory(600_000, 50_000), default);
        Assert.True(await farWait.WaitAsync(Deadline));
        farWait = far.WaitAsync(650_000, default).AsTask();
        Assert.Equal([100_000L, 650_000], spool.Wanted());
        spool.End();
        Assert.False(await farWait.WaitAsync(Deadline));
        Assert.False(await nearWait.WaitAsync(Deadline));
    }

    [Fact]
    public async Task A_restarted_process_takes_over_the_prefix_and_hashes_it_again()
    {
        var bytes = RandomNumberGenerator.GetBytes(1_000_000);
        var path = Path.Combine(_folder, "resumed");
        await File.WriteAllBytesAsync(path, bytes[..600_000]);
        using var spool = new Spool(Guid.NewGuid(), 2, Digest.Sha256Of(bytes), path, TimeProvider.System);
        spool.OpenFile(500_000);
        Assert.Equal(500_000, spool.Prefix);
        spool.Answer(new LiveAnswer("u", "r", bytes.Length));
        await spool.WriteAsync(500_000, bytes.AsMemory(500_000), default);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
    }

    [Fact]
    public async Task A_pass_through_feeds_its_readers_and_waits_for_the_slowest()
    {
        var bytes = RandomNumberGenerator.GetBytes(Spool.RingCapacity + 4_000_000);
        var freed = 0;
        using (var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(bytes), Path.Combine(_folder, "none"), TimeProvider.System))
        {
            await spool.SwitchToRingAsync(() => freed++);
            spool.Answer(new LiveAnswer("u", "r", bytes.Length));
            var readers = Enumerable.Range(0, 3).Select(_ => spool.OpenOrNull(0)!).ToArray();
            var reading = readers.Select(r => Task.Run(() => HashAsync(r, bytes.Length))).ToArray();
            for (var at = 0; at < bytes.Length; at += 100_000)
                await spool.WriteAsync(at, bytes.AsMemory(at, Math.Min(100_000, bytes.Length - at)), default);
            Assert.Equal(spool.Digest, await spool.VerifyAsync());
            foreach (var hash in await Task.WhenAll(reading).WaitAsync(Deadline)) Assert.Equal(SHA256.HashData(bytes), hash);
            Assert.Null(spool.OpenOrNull(0));
            Assert.False(File.Exists(spool.Path));
            foreach (var reader in readers) reader.Dispose();
        }
        Assert.Equal(1, freed);
    }

    [Fact]
    public async Task A_pass_through_that_nobody_reads_says_so()
    {
        using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of([1]), Path.Combine(_folder, "unread"), TimeProvider.System);
        await spool.SwitchToRingAsync(() => { });
        spool.Answer(new LiveAnswer("u", "r", 2L * Spool.RingCapacity));
        await Assert.ThrowsAsync<SpoolUnreadException>(async () =>
        {
            for (var at = 0; ; at += 1_000_000) await spool.WriteAsync(at, new byte[1_000_000], default).AsTask().WaitAsync(Deadline);
        });
    }

    [Fact]
    public async Task A_reader_that_stands_still_is_dropped_and_holds_nobody_up()
    {
        var bytes = RandomNumberGenerator.GetBytes(Spool.RingCapacity + 1_000_000);
        using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(bytes), Path.Combine(_folder, "dropped"), TimeProvider.System) { ReaderStall = TimeSpan.FromMilliseconds(200) };
        await spool.SwitchToRingAsync(() => { });
        spool.Answer(new LiveAnswer("u", "r", bytes.Length));
        using var still = spool.OpenOrNull(0)!;
        using var moving = spool.OpenOrNull(0)!;
        var reading = Task.Run(() => HashAsync(moving, bytes.Length));
        for (var at = 0; at < bytes.Length; at += 100_000)
            await spool.WriteAsync(at, bytes.AsMemory(at, Math.Min(100_000, bytes.Length - at)), default).AsTask().WaitAsync(Deadline);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        Assert.Equal(SHA256.HashData(bytes), await reading.WaitAsync(Deadline));
        Assert.False(await still.WaitAsync(0, default));
    }

    [Fact]
    public async Task Of_an_empty_blob_the_answer_itself_waits_for_the_digest()
    {
        using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of([]), Path.Combine(_folder, "empty"), TimeProvider.System);
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", 0));
        var answer = spool.WaitForAnswerAsync(default);
        Assert.False(answer.IsCompleted);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        Assert.Equal(0, (await answer.WaitAsync(Deadline))!.Size);
    }

    [Fact]
    public async Task A_spool_whose_disk_is_full_goes_on_in_memory_from_its_prefix()
    {
        var bytes = RandomNumberGenerator.GetBytes(2_000_000);
        using var spool = Answered(bytes);
        await spool.WriteAsync(0, bytes.AsMemory(0, 700_000), default);
        await spool.WriteAsync(900_000, bytes.AsMemory(900_000, 100_000), default);
        using var reader = spool.OpenOrNull(0)!;
        await spool.SwitchToRingAsync(() => { });
        Assert.Equal(700_000, spool.Prefix);
        await spool.WriteAsync(700_000, bytes.AsMemory(700_000), default);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        Assert.Equal(SHA256.HashData(bytes), await HashAsync(reader, bytes.Length));
    }

    [Fact]
    public async Task The_file_stays_open_for_a_reader_after_the_writer_is_gone_and_the_name_deleted()
    {
        var bytes = RandomNumberGenerator.GetBytes(400_000);
        var spool = Answered(bytes);
        await spool.WriteAsync(0, bytes, default);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        using var reader = spool.OpenOrNull(0)!;
        spool.Dispose();
        File.Delete(spool.Path);
        Assert.Equal(SHA256.HashData(bytes), await HashAsync(reader, bytes.Length));
        Assert.Null(spool.OpenOrNull(0));
    }

    [Fact]
    public async Task An_owner_that_stood_still_serves_nothing()
    {
        var bytes = RandomNumberGenerator.GetBytes(400_000);
        var held = true;
        using var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(bytes), Path.Combine(_folder, "held"), TimeProvider.System) { IsHeld = () => held };
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", bytes.Length));
        await spool.WriteAsync(0, bytes, default);
        using var reader = spool.OpenOrNull(0)!;
        Assert.True(await reader.WaitAsync(0, default));
        held = false;
        Assert.False(await reader.WaitAsync(0, default));
    }

    private Spool Answered(byte[] bytes)
    {
        var spool = new Spool(Guid.NewGuid(), 1, Digest.Sha256Of(bytes), Path.Combine(_folder, Guid.NewGuid().ToString("N")), TimeProvider.System);
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", bytes.Length));
        return spool;
    }

    private static async Task<int> ReadAsync(IBlobSource source, long offset, byte[] into)
    {
        var total = 0;
        while (total < into.Length && await source.ReadAsync(offset + total, into.AsMemory(total), default) is var read and > 0) total += read;
        return total;
    }

    private static async Task<byte[]> HashAsync(IBlobSource source, long size)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        for (long offset = 0; offset < size;)
        {
            Assert.True(await source.WaitAsync(offset, default).AsTask().WaitAsync(Deadline));
            var read = await source.ReadAsync(offset, buffer, default);
            hash.AppendData(buffer, 0, read);
            offset += read;
        }
        return hash.GetHashAndReset();
    }
}
