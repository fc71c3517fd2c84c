using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Upstreams;

/// <summary>
/// The per-upstream limit of open requests. Bodies of blobs hold theirs for minutes, so a quarter is kept from them: a tag or a manifest
/// never waits behind layers. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable",
    Justification = "A body may outlive the client for a moment, and a semaphore without a wait handle holds nothing.")]
internal sealed class RequestSlots(int limit)
{
    private readonly SemaphoreSlim _all = new(limit, limit);
    private readonly SemaphoreSlim _blobs = new(Math.Max(1, limit - (limit + 3) / 4));

    /// <summary>Waits for a slot; dispose it to give it back, once or more often.</summary>
    public async Task<IDisposable> AcquireAsync(bool forBlob, CancellationToken cancellationToken)
    {
        if (!forBlob)
        {
            await _all.WaitAsync(cancellationToken);
            return new Slot(_all, null);
        }

        await _blobs.WaitAsync(cancellationToken);
        try
        {
            await _all.WaitAsync(cancellationToken);
        }
        catch
        {
            _blobs.Release();
            throw;
        }

        return new Slot(_all, _blobs);
    }

    private sealed class Slot(SemaphoreSlim all, SemaphoreSlim? blobs) : IDisposable
    {
        private int _released;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _released, 1) != 0)
                return;
            all.Release();
            blobs?.Release();
        }
    }
}
