using System.Net;
using Entrepot.Oci;

namespace Entrepot.Storage;

/// <summary>
/// Verified bytes by digest. A key is a digest and the fence of the fetch that stored it, so no two owners ever write the same object.
/// An object counts only when a <c>blobs</c> row points to it; anything else in the store is rubbish for the janitor. Thread-safe.
/// </summary>
public interface IBlobStore
{
    /// <summary>Makes a verified spool durable under its key, as the store understands it (files: synced, so that it survives a power cut); the spool's own name is gone then. The caller writes the row.</summary>
    /// <exception cref="StoreUnavailableException">The store can't be reached now; the spool is as it was.</exception>
    /// <exception cref="IOException">The store failed or is full; nothing is left under the key.</exception>
    Task StoreAsync(Spool spool, StoredBlob blob, CancellationToken cancellationToken);

    /// <summary>Opens an object, or null when it is gone or its length is not <see cref="StoredBlob.Size"/> (a miss that wants repair).</summary>
    /// <param name="blob">What is to be read.</param>
    /// <param name="start">The offset that is read first.</param>
    /// <param name="end">The offset behind the last that is likely to be read: of a store far away nothing behind it is asked for.</param>
    /// <param name="cancellationToken">Stops the opening.</param>
    /// <exception cref="StoreUnavailableException">The store can't be reached now.</exception>
    ValueTask<IBlobSource?> OpenOrNullAsync(StoredBlob blob, long start, long end, CancellationToken cancellationToken);

    /// <summary>
    /// Where a client at this address may GET the object by itself, for some minutes; null when it is to get the bytes through us, as from most stores. Nobody is asked:
    /// the object may be gone. Whoever has the URL can read the object, so it goes to the client and nowhere else.
    /// </summary>
    Uri? ClientUrlOrNull(StoredBlob blob, IPAddress client) => null;

    /// <summary>Removes an object; nothing happens when it is gone already. Readers that have it open keep reading.</summary>
    Task DeleteAsync(Digest digest, long fence, CancellationToken cancellationToken);

    /// <summary>Gives up what killed processes left half-stored longer ago than <paramref name="age"/>. Returns how many things.</summary>
    Task<int> RemoveHalfStoredAsync(TimeSpan age, CancellationToken cancellationToken);

    /// <summary>Whether somebody in this process reads that object now.</summary>
    bool IsBeingRead(Digest digest, long fence);

    /// <summary>All objects there are, in no order, with their age in the store.</summary>
    IAsyncEnumerable<StoredObject> ListAsync(CancellationToken cancellationToken);
}

/// <summary>Where verified bytes lie: the digest, the fence in their key, and their length in bytes.</summary>
public readonly record struct StoredBlob(Digest Digest, long Fence, long Size);

/// <summary>An object found in the store.</summary>
public readonly record struct StoredObject(Digest Digest, long Fence, long Size, DateTimeOffset WrittenAt);
