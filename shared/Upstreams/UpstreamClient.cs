using System.Collections.Concurrent;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>
/// Speaks to the upstream registries: tokens, redirects, ranges, timeouts, a few repeats. One for the process that fetches; it alone holds
/// credentials and tokens. Thread-safe. Whatever an upstream does is a value of the result or an <see cref="UpstreamReadException"/> of a
/// running body; besides these only cancellation by the caller and invalid names throw.
/// </summary>
public sealed class UpstreamClient : IDisposable
{
    /// <summary>The name of its meter.</summary>
    public const string MeterName = "Entrepot.Upstreams";

    /// <summary>The greatest manifest that is accepted: 4 MiB. Source: OCI distribution-spec v1.1, Pushing manifests.</summary>
    public const int MaxManifestBytes = 4 * 1024 * 1024;

    private readonly ConcurrentDictionary<Upstream, Lazy<Connected>> _connected = new();
    private readonly UpstreamMetrics _metrics;
    private readonly TimeProvider _time;

    /// <summary>A client that has contacted nobody yet.</summary>
    public UpstreamClient(TimeProvider timeProvider)
    {
        _time = timeProvider;
        _metrics = new UpstreamMetrics(Quotas);
    }

    /// <summary>What an upstream says about a manifest. Costs no pull at Docker Hub, except at registries that know no HEAD.</summary>
    /// <param name="upstream">Whom to ask.</param>
    /// <param name="repository">The repository's name there.</param>
    /// <param name="reference">A tag or a digest.</param>
    /// <param name="cancellationToken">Ends the waiting with an exception.</param>
    public Task<UpstreamResult<ManifestHead>> HeadManifestAsync(Upstream upstream, string repository, string reference, CancellationToken cancellationToken) =>
        To(upstream).Manifests.HeadAsync(repository, reference, cancellationToken);

    /// <summary>
    /// A manifest of at most <see cref="MaxManifestBytes"/>, whose bytes are those of the digest asked for or of the digest the upstream named;
    /// of a signed schema 1 it is the signed payload that has the digest.
    /// </summary>
    /// <inheritdoc cref="HeadManifestAsync" path="/param"/>
    public Task<UpstreamResult<ManifestBody>> GetManifestAsync(Upstream upstream, string repository, string reference, CancellationToken cancellationToken) =>
        To(upstream).Manifests.GetAsync(repository, reference, cancellationToken);

    /// <summary>
    /// Whether the repository has the blob, and its size in bytes if the upstream says. Where HEAD is refused, one byte is asked for and dropped.
    /// </summary>
    /// <param name="upstream">Whom to ask.</param>
    /// <param name="repository">The repository's name there.</param>
    /// <param name="digest">The blob.</param>
    /// <param name="cancellationToken">Ends the waiting with an exception.</param>
    public Task<UpstreamResult<long?>> HeadBlobAsync(Upstream upstream, string repository, Digest digest, CancellationToken cancellationToken) =>
        To(upstream).Blobs.HeadAsync(repository, digest, cancellationToken);

    /// <summary>
    /// The running body of a blob or of a part of it. The upstream may send the whole when asked for a part, or a shorter part: the stream
    /// says which. Waits for one of the upstream's slots, which the stream holds until it is disposed.
    /// </summary>
    /// <param name="upstream">Whom to ask.</param>
    /// <param name="repository">The repository's name there.</param>
    /// <param name="digest">The blob.</param>
    /// <param name="from">The first byte wanted.</param>
    /// <param name="toInclusive">The last byte wanted; null for the end.</param>
    /// <param name="knownLocation">The <see cref="BlobStream.Location"/> of an earlier part; when it refuses, the registry is asked again.</param>
    /// <param name="cancellationToken">Ends the waiting with an exception; once the stream is there, it means nothing to it.</param>
    public Task<UpstreamResult<BlobStream>> OpenBlobAsync(
        Upstream upstream, string repository, Digest digest, long from, long? toInclusive, Uri? knownLocation, CancellationToken cancellationToken) =>
        To(upstream).Blobs.OpenAsync(repository, digest, from, toInclusive, knownLocation, cancellationToken);

    /// <summary>All tags of a repository, all pages of them; too large above 100,000, 200 pages or 16 MiB.</summary>
    /// <param name="upstream">Whom to ask.</param>
    /// <param name="repository">The repository's name there.</param>
    /// <param name="cancellationToken">Ends the waiting with an exception.</param>
    public Task<UpstreamResult<TagList>> GetTagsAsync(Upstream upstream, string repository, CancellationToken cancellationToken) =>
        To(upstream).Lists.GetTagsAsync(repository, cancellationToken);

    /// <summary>
    /// The referrers of a digest, all pages of them; too large above 100,000, 200 pages or 16 MiB. Not found also when the upstream lacks the API,
    /// so that the fallback tag (<see cref="ReferrersTag"/>) is the next thing to try.
    /// </summary>
    /// <inheritdoc cref="HeadBlobAsync" path="/param"/>
    public Task<UpstreamResult<ReferrerList>> GetReferrersAsync(Upstream upstream, string repository, Digest digest, CancellationToken cancellationToken) =>
        To(upstream).Lists.GetReferrersAsync(repository, digest, cancellationToken);

    /// <summary>The pull limit an upstream last told; null when it has told none.</summary>
    public UpstreamQuota? FindQuota(Upstream upstream) => _connected.TryGetValue(upstream, out var connected) ? connected.Value.Session.Quota : null;

    /// <summary>Closes all connections; running bodies break off.</summary>
    public void Dispose()
    {
        _metrics.Dispose();
        foreach (var connected in _connected.Values)
            connected.Value.Session.Dispose();
    }

    private Connected To(Upstream upstream)
    {
        ArgumentNullException.ThrowIfNull(upstream);
        return _connected.GetOrAdd(upstream, static (key, client) => new Lazy<Connected>(() => new Connected(key, client._metrics, client._time)), this).Value;
    }

    private IEnumerable<(Upstream Upstream, UpstreamQuota Quota)> Quotas()
    {
        foreach (var (upstream, connected) in _connected)
        {
            if (connected.Value.Session.Quota is { } quota)
                yield return (upstream, quota);
        }
    }

    private sealed class Connected
    {
        public Connected(Upstream upstream, UpstreamMetrics metrics, TimeProvider time)
        {
            Session = new UpstreamSession(upstream, metrics, time);
            var exchange = new UpstreamExchange(Session, metrics, time);
            Manifests = new ManifestRequests(exchange);
            Blobs = new BlobRequests(exchange);
            Lists = new ListRequests(exchange);
        }

        public UpstreamSession Session { get; }

        public ManifestRequests Manifests { get; }

        public BlobRequests Blobs { get; }

        public ListRequests Lists { get; }
    }
}
