using System.Diagnostics;
using System.Diagnostics.Metrics;
using Entrepot.Api.Responses;

namespace Entrepot.Api;

/// <summary>What the api counts (docs/operations.md).</summary>
internal sealed class ApiMetrics
{
    private static readonly Meter Meter = new("Entrepot.Api");
    private readonly Counter<long> _pulls = Meter.CreateCounter<long>("entrepot_pulls", null, "Answers to pulls, by upstream, kind and X-Cache");
    private readonly Counter<long> _bytes = Meter.CreateCounter<long>("entrepot_served_bytes", null, "Bytes of content sent to clients, by upstream, kind and X-Cache");

    public void Served(string upstream, string kind, CacheState cache, long bytes)
    {
        var tags = new TagList { { "upstream", upstream }, { "kind", kind }, { "cache", cache.WireText() } };
        _pulls.Add(1, tags);
        if (bytes > 0) _bytes.Add(bytes, tags);
    }
}
