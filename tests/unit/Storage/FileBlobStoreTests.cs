using Entrepot.Oci;
using Entrepot.Storage;
using Xunit;

namespace Entrepot.UnitTests.Storage;

public sealed class FileBlobStoreTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("entrepot-store-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_stored_spool_is_readable_under_its_digest_and_fence()
    {
        var (store, blob, bytes) = await StoreAsync(7);
        using var source = (await store.OpenOrNullAsync(blob, 0, blob.Size, default))!;
        var read = new byte[bytes.Length];
        Assert.Equal(bytes.Length, await source.ReadAsync(0, read, default));
        Assert.Equal(bytes, read);
        Assert.False(await source.WaitAsync(bytes.Length, default));
        Assert.Empty(Directory.GetFiles(Path.Combine(_folder, "spool")));
    }

    [Fact]
    public async Task Another_fence_or_another_length_is_a_miss()
    {
        var (store, blob, _) = await StoreAsync(7);
        Assert.Null(await store.OpenOrNullAsync(blob with { Fence = 8 }, 0, blob.Size, default));
        Assert.Null(await store.OpenOrNullAsync(blob with { Size = blob.Size + 1 }, 0, blob.Size, default));
        Assert.False(store.IsBeingRead(blob.Digest, blob.Fence));
    }

    [Fact]
    public async Task A_deleted_object_is_gone_for_new_readers_and_stays_for_those_that_have_it_open()
    {
        var (store, blob, bytes) = await StoreAsync(7);
        using (var source = (await store.OpenOrNullAsync(blob, 0, blob.Size, default))!)
        {
            Assert.True(store.IsBeingRead(blob.Digest, blob.Fence));
            await store.DeleteAsync(blob.Digest, blob.Fence, default);
            Assert.Null(await store.OpenOrNullAsync(blob, 0, blob.Size, default));
            Assert.Equal(bytes.Length, await source.ReadAsync(0, new byte[bytes.Length], default));
        }
        Assert.False(store.IsBeingRead(blob.Digest, blob.Fence));
        await store.DeleteAsync(blob.Digest, blob.Fence, default);
    }

    [Fact]
    public async Task The_list_names_every_object_and_nothing_else()
    {
        var (store, blob, _) = await StoreAsync(7);
        await File.WriteAllTextAsync(Path.Combine(_folder, "blobs", "sha256", "readme"), "not ours");
        var listed = Assert.Single(await store.ListAsync(default).ToListAsync());
        Assert.Equal((blob.Digest, 7L, blob.Size), (listed.Digest, listed.Fence, listed.Size));
    }

    private async Task<(FileBlobStore Store, StoredBlob Blob, byte[] Bytes)> StoreAsync(long fence)
    {
        var bytes = Enumerable.Range(0, 100_000).Select(i => (byte)i).ToArray();
        var store = new FileBlobStore(Path.Combine(_folder, "blobs"));
        var folder = new SpoolFolder(Path.Combine(_folder, "spool"), TimeProvider.System);
        using var spool = folder.Create(Guid.NewGuid(), fence, Digest.Sha256Of(bytes), () => true);
        Assert.Equal(0, folder.Reserve(spool, bytes.Length));
        spool.OpenFile(0);
        spool.Answer(new LiveAnswer("u", "r", bytes.Length));
        await spool.WriteAsync(0, bytes, default);
        Assert.Equal(spool.Digest, await spool.VerifyAsync());
        var blob = new StoredBlob(spool.Digest, fence, bytes.Length);
        await store.StoreAsync(spool, blob, default);
        folder.Release(spool);
        return (store, blob, bytes);
    }
}
