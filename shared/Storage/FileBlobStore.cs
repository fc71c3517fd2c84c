using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Entrepot.Oci;
using Microsoft.Win32.SafeHandles;

namespace Entrepot.Storage;

/// <summary>Blobs as files below one folder. Bytes move from the spool by rename, so storing costs a sync and no copy.</summary>
public sealed class FileBlobStore : IBlobStore
{
    private readonly string _root;
    private readonly ConcurrentDictionary<(Digest, long), int> _reading = new();

    /// <summary>A store below <paramref name="root"/>, which must be on the file system of the spools (rename does not cross one).</summary>
    public FileBlobStore(string root)
    {
        _root = root;
        Directory.CreateDirectory(root);
    }

    /// <inheritdoc />
    public Task StoreAsync(Spool spool, StoredBlob blob, CancellationToken cancellationToken) => Task.Run(() =>
    {
        // fsync → rename → directory fsync: after a power cut the name is either absent or complete.
        spool.FlushToDisk();
        var path = PathOf(blob.Digest, blob.Fence);
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            Durable.SyncDirectory(Path.GetDirectoryName(folder)!);
        }
        File.Move(spool.Path, path, overwrite: true);
        Durable.SyncDirectory(folder);
    }, cancellationToken);

    /// <inheritdoc />
    public ValueTask<IBlobSource?> OpenOrNullAsync(StoredBlob blob, long start, long end, CancellationToken cancellationToken)
    {
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(PathOf(blob.Digest, blob.Fence), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, FileOptions.Asynchronous);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return ValueTask.FromResult<IBlobSource?>(null);
        }
        if (RandomAccess.GetLength(handle) != blob.Size)
        {
            handle.Dispose();
            return ValueTask.FromResult<IBlobSource?>(null);
        }
        _reading.AddOrUpdate((blob.Digest, blob.Fence), 1, static (_, n) => n + 1);
        return ValueTask.FromResult<IBlobSource?>(new FileBlob(this, blob, handle));
    }

    /// <inheritdoc />
    public Task DeleteAsync(Digest digest, long fence, CancellationToken cancellationToken)
    {
        try
        {
            File.Delete(PathOf(digest, fence));
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder: what was asked for.
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc />
    /// <remarks>A rename is whole or not at all.</remarks>
    public Task<int> RemoveHalfStoredAsync(TimeSpan age, CancellationToken cancellationToken) => Task.FromResult(0);

    /// <inheritdoc />
    public bool IsBeingRead(Digest digest, long fence) => _reading.ContainsKey((digest, fence));

    /// <inheritdoc />
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield(); // A disk is walked on a thread of its own.
        foreach (var algorithm in Directory.EnumerateDirectories(_root))
            foreach (var file in new DirectoryInfo(algorithm).EnumerateFiles("*", SearchOption.AllDirectories))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (BlobKeys.TryParse(Path.GetFileName(algorithm), file.Name, out var digest, out var fence))
                    yield return new StoredObject(digest, fence, file.Length, file.LastWriteTimeUtc);
            }
    }

    private string PathOf(Digest digest, long fence) => Path.Combine(_root, BlobKeys.Of(digest, fence));

    private void Closed(StoredBlob blob)
    {
        var key = (blob.Digest, blob.Fence);
        while (_reading.TryGetValue(key, out var readers))
            if (readers > 1 ? _reading.TryUpdate(key, readers - 1, readers) : _reading.TryRemove(new KeyValuePair<(Digest, long), int>(key, readers)))
                return;
    }

    /// <summary>An open file: its bytes stay readable when the name is deleted.</summary>
    private sealed class FileBlob(FileBlobStore store, StoredBlob blob, SafeFileHandle handle) : IBlobSource
    {
        private FileStream? _file;
        private bool _disposed;

        public ValueTask<bool> WaitAsync(long offset, CancellationToken cancellationToken) => ValueTask.FromResult(offset < blob.Size);

        // Synchronous: the page cache answers most reads, and an asynchronous read would hop to the thread pool each time (docs/adr/0006).
        public ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
            ValueTask.FromResult(RandomAccess.Read(handle, buffer.Span, offset));

        public FileStretch? FileAt(long offset) => new FileStretch(_file ??= new FileStream(handle, FileAccess.Read, bufferSize: 0, isAsync: true), blob.Size - offset);

        public void Dispose()
        {
            if (_disposed) return;
            _disposed = true;
            _file?.Dispose();
            handle.Dispose();
            store.Closed(blob);
        }
    }
}
