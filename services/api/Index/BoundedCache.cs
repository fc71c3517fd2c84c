using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Entrepot.Api.Index;

/// <summary>A map bounded in bytes. What has not been read since the hand last passed goes first (the clock algorithm). Thread-safe; reads take no lock.</summary>
internal sealed class BoundedCache<TKey, TEntry>(long maxBytes)
    where TKey : notnull
    where TEntry : IndexEntry
{
    private readonly ConcurrentDictionary<TKey, Slot> _slots = new();
    private readonly ConcurrentQueue<(TKey Key, Slot Slot)> _clock = new();
    private long _bytes;

    public bool TryGet(TKey key, [NotNullWhen(true)] out TEntry? entry)
    {
        if (!_slots.TryGetValue(key, out var slot))
        {
            entry = null;
            return false;
        }
        // Written only when it changes: a write per read would bounce the cache line between cores.
        if (!slot.Used) slot.Used = true;
        entry = slot.Entry;
        return true;
    }

    public void Set(TKey key, TEntry entry)
    {
        var slot = new Slot(entry);
        Interlocked.Add(ref _bytes, entry.WeightBytes);
        _slots.AddOrUpdate(key, slot, (_, old) =>
        {
            old.Dead = true;
            return slot;
        });
        _clock.Enqueue((key, slot));
        while (Interlocked.Read(ref _bytes) > maxBytes && _clock.TryDequeue(out var oldest))
        {
            if (!oldest.Slot.Dead && oldest.Slot.Used)
            {
                oldest.Slot.Used = false;
                _clock.Enqueue(oldest);
                continue;
            }
            Interlocked.Add(ref _bytes, -oldest.Slot.Entry.WeightBytes);
            _slots.TryRemove(new KeyValuePair<TKey, Slot>(oldest.Key, oldest.Slot));
        }
    }

    /// <summary>Forgets an entry; its bytes are counted until the hand passes.</summary>
    public void Remove(TKey key)
    {
        if (_slots.TryRemove(key, out var slot)) slot.Dead = true;
    }

    private sealed class Slot(TEntry entry)
    {
        public TEntry Entry { get; } = entry;

        public volatile bool Used;

        public volatile bool Dead;
    }
}
