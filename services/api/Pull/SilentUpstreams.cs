using System.Collections.Concurrent;

namespace Entrepot.Api.Pull;

/// <summary>
/// Upstreams that let somebody wait in vain. What is held of such an upstream is served at once, whatever tag or list it is, while one probe at a time
/// goes on behind, until the upstream answers anything: a hanging upstream costs one wait, not one for each tag. Thread-safe.
/// </summary>
internal sealed class SilentUpstreams(ApiOptions options, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, Silence> _silent = new(StringComparer.Ordinal);

    public bool IsSilent(string upstream) => _silent.ContainsKey(upstream);

    /// <summary>True for one caller in each <see cref="ApiOptions.FailedCheckLasts"/>: it asks the upstream, behind its answer.</summary>
    public bool TryProbe(string upstream) => _silent.TryGetValue(upstream, out var silence) && silence.TryProbe(time, options.FailedCheckLasts);

    /// <summary>Somebody waited for this upstream in vain.</summary>
    public void Add(string upstream) => _silent.TryAdd(upstream, new Silence(time.GetTimestamp()));

    /// <summary>It has answered something, an error perhaps.</summary>
    public void Remove(string upstream) => _silent.TryRemove(upstream, out _);

    private sealed class Silence(long since)
    {
        private long _probedAt = since;

        public bool TryProbe(TimeProvider time, TimeSpan every)
        {
            var probedAt = Interlocked.Read(ref _probedAt);
            return time.GetElapsedTime(probedAt) >= every && Interlocked.CompareExchange(ref _probedAt, time.GetTimestamp(), probedAt) == probedAt;
        }
    }
}
