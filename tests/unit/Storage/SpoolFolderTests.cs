using Entrepot.Oci;
using Entrepot.Storage;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class SpoolFolderTests : IDisposable
{
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
}
