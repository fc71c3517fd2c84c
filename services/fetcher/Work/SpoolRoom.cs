using Entrepot.Metadata;
using Entrepot.Storage;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>Finds room for a download: on the disk, by evicting, or, last, in memory for those who read now. At most two go through memory at once.</summary>
internal sealed class SpoolRoom(FetchQueue queue, SpoolFolder folder, IEnumerable<IRoomMaker> roomMakers, ILogger<SpoolRoom> log) : IDisposable
{
    private static readonly TimeSpan RingWait = TimeSpan.FromSeconds(5);
    private readonly SemaphoreSlim _rings = new(2);

    public void Dispose() => _rings.Dispose();

    /// <summary>Reserves the size before the first byte and opens the spool's file, or makes it a pass-through.</summary>
    /// <exception cref="SpoolUnreadException">There is room nowhere, or nobody waits for it.</exception>
    public async Task TakeAsync(Spool spool, long size, CancellationToken cancellationToken)
    {
        if (spool.PassThrough) return;
        if (!await TryReserveAsync(spool, size, cancellationToken)) await GoOnInMemoryAsync(spool, cancellationToken);
        else if (!spool.HasFile) spool.OpenFile(0);
    }

    /// <summary>Reserves room on the disk, evicting for it what was used least recently; false when there is none to be had.</summary>
    public async Task<bool> TryReserveAsync(Spool spool, long size, CancellationToken cancellationToken)
    {
        for (var tries = 0; ; tries++)
        {
            var lacking = folder.Reserve(spool, size);
            if (lacking <= 0) return true;
            long freed = 0;
            if (tries < 2)
                foreach (var maker in roomMakers)
                    freed += await maker.FreeAsync(lacking - freed, cancellationToken);
            if (freed > 0) continue;
            log.NoRoom(spool.Digest, size, lacking);
            return false;
        }
    }

    /// <summary>Makes the spool a pass-through for those who wait, when fewer than two others are.</summary>
    /// <exception cref="SpoolUnreadException">Nobody waits for it, or others take all the memory there is for this.</exception>
    public async Task GoOnInMemoryAsync(Spool spool, CancellationToken cancellationToken)
    {
        var isWanted = (await queue.ReadAsync([spool.FetchId], cancellationToken)) is [{ Prefetch: false }];
        if (!isWanted || !await _rings.WaitAsync(RingWait, cancellationToken)) throw new SpoolUnreadException();
        await spool.SwitchToRingAsync(() => _rings.Release());
    }
}
