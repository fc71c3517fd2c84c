using System.Globalization;
using Entrepot.Oci;

namespace Entrepot.Storage;

/// <summary>The folder of running downloads, and the room they may take on its disk. Thread-safe.</summary>
public sealed class SpoolFolder
{
    private readonly string _root;
    private readonly TimeProvider _time;
    private readonly bool _isKept;
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, (long Size, Spool Spool)> _reserved = [];

    /// <summary>A spool folder at <paramref name="root"/>; made when absent.</summary>
    /// <param name="root">Where.</param>
    /// <param name="time">The clock.</param>
    /// <param name="isKept">
    /// Whether a spool that an earlier process left is gone on with. Not where others may claim its fetch: what the row says of its progress may be another's, and
    /// that of a file of ours would then be taken for it. The folder is emptied instead.
    /// </param>
    public SpoolFolder(string root, TimeProvider time, bool isKept = true)
    {
        (_root, _time, _isKept) = (root, time, isKept);
        Directory.CreateDirectory(root);
        if (isKept) return;
        foreach (var left in Directory.EnumerateFiles(root)) File.Delete(left);
    }

    /// <summary>A spool for one claim of a blob fetch; its file carries the fetch's id, so that a restarted process finds what it had, or else the claim's fence too.</summary>
    public Spool Create(Guid fetchId, long fence, Digest digest, Func<bool> isHeld) =>
        new(fetchId, fence, digest, _isKept ? PathOf(fetchId) : string.Create(CultureInfo.InvariantCulture, $"{PathOf(fetchId)}.{fence}"), _time) { IsHeld = isHeld };

    /// <summary>
    /// Keeps <paramref name="size"/> bytes of the disk for a spool, before its first byte. The volume keeps max(2 %, min(512 MiB, 10 %)) free,
    /// so that the database always has room.
    /// </summary>
    /// <returns>0 when the room is reserved, else how many bytes are lacking.</returns>
    public long Reserve(Spool spool, long size)
    {
        lock (_lock)
        {
            var lacking = size - spool.FileBytes - FreeBytes(besides: spool.FetchId);
            if (lacking > 0) return lacking;
            _reserved[spool.FetchId] = (size, spool);
            return 0;
        }
    }

    /// <summary>Gives the room back when the claim has ended, however it did; and removes the file where nobody goes on with it. Who reads it reads on.</summary>
    public void Release(Spool spool)
    {
        lock (_lock)
            // A later claim of the same fetch may have reserved since.
            if (_reserved.TryGetValue(spool.FetchId, out var reserved) && reserved.Spool == spool)
                _reserved.Remove(spool.FetchId);
        if (!_isKept) Discard(spool);
    }

    /// <summary>Removes a spool's file.</summary>
    public static void Discard(Spool spool) => File.Delete(spool.Path);

    /// <summary>The fetch ids that have a file here, with the time of its last write.</summary>
    public IEnumerable<(Guid FetchId, DateTimeOffset WrittenAt)> List()
    {
        foreach (var file in new DirectoryInfo(_root).EnumerateFiles())
            if (Guid.TryParseExact(file.Name, "N", out var id))
                yield return (id, file.LastWriteTimeUtc);
    }

    /// <summary>Removes the file of a fetch that is no more.</summary>
    public void Delete(Guid fetchId) => File.Delete(PathOf(fetchId));

    /// <summary>How many bytes new spools may take now: what is free, less what must stay free, less what is promised to others and not yet written.</summary>
    private long FreeBytes(Guid besides)
    {
        var drive = new DriveInfo(_root);
        var keep = Math.Max(drive.TotalSize / 50, Math.Min(512L << 20, drive.TotalSize / 10));
        var promised = _reserved.Where(r => r.Key != besides).Sum(r => Math.Max(0, r.Value.Size - r.Value.Spool.FileBytes));
        return drive.AvailableFreeSpace - keep - promised;
    }

    private string PathOf(Guid fetchId) => Path.Combine(_root, fetchId.ToString("N"));
}
