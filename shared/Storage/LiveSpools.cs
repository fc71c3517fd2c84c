using System.Collections.Concurrent;

namespace Entrepot.Storage;

/// <summary>The spools of this process by fetch id: the fetcher adds and removes them, readers find them. Thread-safe.</summary>
public sealed class LiveSpools : ILiveFetches
{
    private readonly ConcurrentDictionary<Guid, Spool> _spools = new();

    /// <summary>How many fetches are running here.</summary>
    public int Count => _spools.Count;

    /// <summary>Whether anybody reads one of them now.</summary>
    public bool AreRead => _spools.Values.Any(spool => spool.ReaderCount > 0);

    /// <summary>Makes a spool findable from the moment its fetch is claimed.</summary>
    public void Add(Spool spool) => _spools[spool.FetchId] = spool;

    /// <summary>Takes a spool away; readers that follow it keep it.</summary>
    public void Remove(Spool spool) => _spools.TryRemove(new KeyValuePair<Guid, Spool>(spool.FetchId, spool));

    /// <inheritdoc />
    public ValueTask<ILiveFetch?> FindOrNullAsync(Guid fetchId, long fence, string address, CancellationToken cancellationToken) =>
        ValueTask.FromResult<ILiveFetch?>(_spools.TryGetValue(fetchId, out var spool) && spool.Fence == fence ? spool : null);
}
