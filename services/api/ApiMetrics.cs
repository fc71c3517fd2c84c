using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Entrepot.Api.Responses;

namespace Entrepot.Api;

/// <summary>What the api counts (docs/operations.md). Counted in place and read when somebody asks: a hit must not pay for labels.</summary>
internal sealed class ApiMetrics
{
    private readonly ConcurrentDictionary<(string Upstream, string Kind, CacheState Cache), PullCount> _counts = new();
    private readonly Counter<long> _redirects;

    public ApiMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Entrepot.Api");
        meter.CreateObservableCounter("entrepot_pulls", () => Read(count => count.Pulls), null, "Answers to pulls, by upstream, kind and X-Cache");
        meter.CreateObservableCounter("entrepot_served_bytes", () => Read(count => count.Bytes), null, "Bytes of content sent to clients, by upstream, kind and X-Cache");
        _redirects = meter.CreateCounter<long>("entrepot_redirects", null, "Pulls answered by a redirect to the store, by upstream");
    }

    public void Served(string upstream, string kind, CacheState cache, long bytes) => Of(upstream, kind, cache).Add(bytes);

    /// <summary>An answer whose bytes the client reads from the store.</summary>
    public void Redirected(string upstream, CacheState cache)
    {
        Served(upstream, "blob", cache, 0);
        _redirects.Add(1, new KeyValuePair<string, object?>("upstream", upstream));
    }

    /// <summary>The count for these labels, to be kept by whoever adds to it often.</summary>
    public PullCount Of(string upstream, string kind, CacheState cache) => _counts.GetOrAdd((upstream, kind, cache), static _ => new PullCount());

    private IEnumerable<Measurement<long>> Read(Func<PullCount, long> value)
    {
        foreach (var ((upstream, kind, cache), count) in _counts)
            yield return new Measurement<long>(value(count), new("upstream", upstream), new("kind", kind), new("cache", cache.WireText()));
    }
}
