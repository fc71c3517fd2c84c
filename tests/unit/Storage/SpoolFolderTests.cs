using Entrepot.Oci;
using Entrepot.Storage;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class SpoolFolderTests : IDisposable
{
    private static readonly byte[] Bytes = [1, 2, 3];
    private readonly string _folder = Directory.CreateTempSubdirectory("entrepot-room-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_reservation_that_the_disk_has_no_room_for_says_how_much_is_lacking()
    {
        var folder = new SpoolFolder(_folder, TimeProvider.System);
        using var spool = folder.Create(Guid.NewGuid(), 1, Digest.Sha256Of([1]), () => true);
        Assert.True(folder.Reserve(spool, new DriveInfo(_folder).TotalSize * 2) > 0);
    }

    [Fact]
    public void What_is_reserved_is_not_given_twice_and_can_be_given_back()
    {
        var folder = new SpoolFolder(_folder, TimeProvider.System);
        using var first = folder.Create(Guid.NewGuid(), 1, Digest.Sha256Of([1]), () => true);
        using var second = folder.Create(Guid.NewGuid(), 1, Digest.Sha256Of([2]), () => true);
        var most = new DriveInfo(_folder).AvailableFreeSpace / 2;
        Assert.Equal(0, folder.Reserve(first, most));
        Assert.True(folder.Reserve(second, most) > 0);
        folder.Release(first);
        Assert.Equal(0, folder.Reserve(second, most));
    }

    [Fact]
    public async Task A_claim_that_has_ended_leaves_no_file_where_nobody_goes_on_with_it_and_its_reader_reads_on()
    {
        var folder = new SpoolFolder(_folder, TimeProvider.System, isKept: false);
        using var spool = await FilledAsync(folder);
        using var reader = spool.OpenOrNull(0)!;
        folder.Release(spool);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder));
        Assert.Equal(Bytes.Length, await reader.ReadAsync(0, new byte[Bytes.Length], CancellationToken.None));
    }

    [Fact]
    public async Task A_claim_that_has_ended_leaves_its_file_to_the_next_where_it_is_gone_on_with()
    {
        var folder = new SpoolFolder(_folder, TimeProvider.System);
        using var spool = await FilledAsync(folder);
        folder.Release(spool);
        Assert.Equal([spool.FetchId], folder.List().Select(left => left.FetchId));
    }

    [Fact]
    public void An_earlier_claim_of_a_fetch_that_ends_late_takes_nothing_from_the_later_one()
    {
        var folder = new SpoolFolder(_folder, TimeProvider.System, isKept: false);
        var id = Guid.NewGuid();
        using var earlier = folder.Create(id, 1, Digest.Sha256Of([1]), () => true);
        using var later = folder.Create(id, 2, Digest.Sha256Of([1]), () => true);
        using var other = folder.Create(Guid.NewGuid(), 3, Digest.Sha256Of([2]), () => true);
        var most = new DriveInfo(_folder).AvailableFreeSpace / 2;
        Assert.Equal(0, folder.Reserve(earlier, most));
        Assert.Equal(0, folder.Reserve(later, most));
        folder.Release(earlier);
        Assert.True(folder.Reserve(other, most) > 0);
    }

    private static async Task<Spool> FilledAsync(SpoolFolder folder)
    {
        var spool = folder.Create(Guid.NewGuid(), 1, Digest.Sha256Of(Bytes), () => true);
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", Bytes.Length));
        await spool.WriteAsync(0, Bytes, CancellationToken.None);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        return spool;
    }
}
