using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Api.Index;

/// <summary>A map bounded in bytes. What has not been read since the hand last passed goes first (the clock algorithm). Thread-safe; reads take no lock. An entry is in one map, once.</summary>
internal sealed class BoundedCache<TKey, TEntry>(long maxBytes)
    where TKey : notnull
    where TEntry : IndexEntry
{
    private readonly ConcurrentDictionary<TKey, TEntry> _entries = new();
    private readonly ConcurrentQueue<(TKey Key, TEntry Entry)> _clock = new();
    private long _bytes;

    public bool TryGet(TKey key, [NotNullWhen(true)] out TEntry? entry)
    {
        if (!_entries.TryGetValue(key, out entry)) return false;
        entry.Use();
        return true;
    }

    public void Set(TKey key, TEntry entry)
    {
        Interlocked.Add(ref _bytes, entry.WeightBytes);
        _entries.AddOrUpdate(key, static (_, entry) => entry, static (_, old, entry) =>
        {
            old.Retire();
            return entry;
        }, entry);
        _clock.Enqueue((key, entry));
        while (Interlocked.Read(ref _bytes) > maxBytes && _clock.TryDequeue(out var oldest))
        {
            if (oldest.Entry.IsCurrent && oldest.Entry.IsUsed)
            {
                oldest.Entry.Use(false);
                _clock.Enqueue(oldest);
                continue;
            }
            Interlocked.Add(ref _bytes, -oldest.Entry.WeightBytes);
            if (_entries.TryRemove(new KeyValuePair<TKey, TEntry>(oldest.Key, oldest.Entry))) oldest.Entry.Retire();
        }
    }

    /// <summary>Forgets an entry; its bytes are counted until the hand passes.</summary>
    public void Remove(TKey key)
    {
        if (_entries.TryRemove(key, out var entry)) entry.Retire();
    }
}
