using Entrepot.Storage;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>Finds room for a download: on the disk, by evicting, or, last, in memory for those who read now. At most two go through memory at once.</summary>
internal sealed class SpoolRoom(SpoolFolder folder, IEnumerable<IRoomMaker> roomMakers, ILogger<SpoolRoom> log) : IDisposable
{
    private readonly SemaphoreSlim _rings = new(2);

    public void Dispose() => _rings.Dispose();

    /// <summary>Reserves the size before the first byte, and opens the spool's file or makes it a pass-through.</summary>
    public async Task TakeAsync(Spool spool, long size, CancellationToken cancellationToken)
    {
        if (spool.PassThrough) return;
        for (var tries = 0; ; tries++)
        {
            var lacking = folder.Reserve(spool, size);
            if (lacking <= 0) break;
            long freed = 0;
            if (tries < 2)
                foreach (var maker in roomMakers)
                    freed += await maker.FreeAsync(lacking - freed, cancellationToken);
            if (freed > 0) continue;
            log.NoRoom(spool.Digest, size, lacking);
            await GoOnInMemoryAsync(spool, cancellationToken);
            return;
        }
        if (!spool.HasFile) spool.OpenFile(0);
    }

    /// <summary>Makes the spool a pass-through, when fewer than two others are.</summary>
    public async Task GoOnInMemoryAsync(Spool spool, CancellationToken cancellationToken)
    {
        await _rings.WaitAsync(cancellationToken);
        spool.SwitchToRing(() => _rings.Release());
    }
}
