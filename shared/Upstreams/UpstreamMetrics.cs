using System.Diagnostics.Metrics;

namespace Entrepot.Upstreams;

/// <summary>The numbers of one client. Labels are bounded: configured upstreams, two methods, a closed set of outcomes.</summary>
internal sealed class UpstreamMetrics : IDisposable
{
    private readonly Meter _meter = new(UpstreamClient.MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _bytes;

    public UpstreamMetrics(Func<IEnumerable<(Upstream Upstream, UpstreamQuota Quota)>> quotas)
    {
        _requests = _meter.CreateCounter<long>("entrepot_upstream_requests", "{request}", "Requests sent to upstreams, redirects and repeats included, by what came of them.");
        _tokens = _meter.CreateCounter<long>("entrepot_upstream_token_requests", "{request}", "Requests sent to token services of upstreams.");
        _bytes = _meter.CreateCounter<long>("entrepot_upstream_body_bytes", "By", "Body bytes received from upstreams.");
        _meter.CreateObservableGauge(
            "entrepot_upstream_quota_remaining",
            () => quotas().Select(pair => new Measurement<long>(pair.Quota.Remaining, Tag(pair.Upstream))),
            "{pull}", "Pulls left in the upstream's window, as it last said.");
    }

    public void CountRequest(Upstream upstream, HttpMethod method, string outcome) =>
        _requests.Add(1, Tag(upstream), new("method", method.Method), new("outcome", outcome));

    public void CountToken(Upstream upstream, string outcome) => _tokens.Add(1, Tag(upstream), new("outcome", outcome));

    public void CountBytes(Upstream upstream, long bytes) => _bytes.Add(bytes, Tag(upstream));

    public void Dispose() => _meter.Dispose();

    private static KeyValuePair<string, object?> Tag(Upstream upstream) => new("upstream", upstream.Name);
}
