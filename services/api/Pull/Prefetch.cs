using System.Threading.Channels;
using Entrepot.Api.Index;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Upstreams;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// The first layer asked for under a manifest makes all layers of that manifest wanted, at low priority: a real pull has begun. Manifests and configs
/// alone do not: inspectors and update bots ask for those. Never reaches other platforms of an index.
/// </summary>
internal sealed class Prefetch(Holdings holdings, FetchGate gate, ILogger<Prefetch> log) : BackgroundService
{
    private readonly Channel<(Upstream Upstream, string Repository, string Digest)> _wanted = Channel.CreateBounded<(Upstream, string, string)>(
        new BoundedChannelOptions(1024) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    /// <summary>A cold blob was asked for; what follows from it is found out off the request's path.</summary>
    public void LayerWanted(Upstream upstream, string repository, Digest digest) => _wanted.Writer.TryWrite((upstream, repository, digest.ToString()));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var last = new RecentManifests();
        await foreach (var (upstream, repository, digest) in _wanted.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                if (await holdings.FindMissingLayersAsync(upstream.Name, repository, digest, stoppingToken) is not var (manifest, layers)) continue;
                if (!last.IsNew(new ContentKey(upstream.Name, repository, manifest))) continue;
                foreach (var layer in layers)
                {
                    if (layer.Digest == digest) continue;
                    var (ticket, _) = await gate.JoinAsync(FetchKind.Blob, upstream, repository, layer.Digest, layer.Size >= 0 ? layer.Size : null, true, stoppingToken);
                    ticket?.Dispose();
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.PrefetchFailed(digest, e.Message);
            }
        }
    }

    /// <summary>The manifests that were prefetched last, so that the 40 layers of an image ask once.</summary>
    private sealed class RecentManifests
    {
        private const int Kept = 256;
        private readonly HashSet<ContentKey> _known = [];
        private readonly Queue<ContentKey> _order = new();

        public bool IsNew(ContentKey key)
        {
            if (!_known.Add(key)) return false;
            _order.Enqueue(key);
            if (_order.Count > Kept) _known.Remove(_order.Dequeue());
            return true;
        }
    }
}
