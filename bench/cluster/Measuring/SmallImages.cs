using System.Globalization;
using System.Net;
using Entrepot.Bench.Running;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.Bench.Cluster.Measuring;

/// <summary>Small images, each in a repository of its own and like no other, and clients that pull them: by tag, then config and layer at once.</summary>
/// <param name="upstream">Where they are put.</param>
internal sealed class SmallImages(MemoryRegistry upstream) : IDisposable
{
    private const int LayerBytes = 8 << 10;
    private static readonly TimeSpan LongestPull = TimeSpan.FromMinutes(2);

    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = TimeSpan.FromMinutes(1) };
    private int _count;

    /// <summary>How often a client was told to come back later.</summary>
    public int ToldToComeBack { get; private set; }

    /// <summary>Pulls images that nobody has pulled before.</summary>
    /// <param name="apis">Through these, in turn.</param>
    /// <param name="count">How many.</param>
    /// <param name="clients">How many pull at once, each the next one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How long it took, and how long the slowest of them.</returns>
    /// <exception cref="BenchException">Some content did not come, or is not what its digest names.</exception>
    public async Task<(TimeSpan All, TimeSpan Slowest)> PullAsync(IReadOnlyList<Uri> apis, int count, int clients, CancellationToken cancellationToken)
    {
        var images = Enumerable.Range(0, count).Select(_ => Add()).ToArray();
        var (next, slowest) = (-1, new TimeSpan[clients]);
        var began = TestClock.Now;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(async client =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < count;)
            {
                var start = TestClock.Now;
                await PullAsync(apis[i % apis.Count], images[i].Repository, images[i].Image, cancellationToken);
                if (TestClock.Now - start is var took && took > slowest[client]) slowest[client] = took;
            }
        }));
        return (TestClock.Now - began, slowest.Max());
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private (string Repository, Image Image) Add()
    {
        var seed = ++_count;
        var repository = string.Create(CultureInfo.InvariantCulture, $"small/image{seed}");
        var image = ImageMaker.FromLayers([LayerMaker.Incompressible(LayerBytes, seed, Compression.None)]);
        upstream.Repository(repository).AddImage(image, "1");
        return (repository, image);
    }

    private async Task PullAsync(Uri api, string repository, Image image, CancellationToken cancellationToken)
    {
        await GetAsync(new Uri(api, $"/v2/{repository}/manifests/1"), image.Digest, cancellationToken);
        await Task.WhenAll(image.Blobs.Select(blob => GetAsync(new Uri(api, $"/v2/{repository}/blobs/{blob.Digest}"), blob.Digest, cancellationToken)));
    }

    private async Task GetAsync(Uri url, string digest, CancellationToken cancellationToken)
    {
        for (var began = TestClock.Now; ;)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.TryAddWithoutValidation("Accept", MediaTypes.AcceptAll);
            using var answer = await _client.SendAsync(request, cancellationToken);
            var body = await answer.Content.ReadAsByteArrayAsync(cancellationToken);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                if (Content.DigestOf(body) is var got && got != digest) throw new BenchException($"GET {url.AbsolutePath}: the bytes are {got}, not {digest}");
                return;
            }

            if (answer.Headers.RetryAfter?.Delta is not { } wait || TestClock.Now - began > LongestPull) throw new BenchException($"GET {url.AbsolutePath}: {(int)answer.StatusCode}");
            lock (_client) ToldToComeBack++;
            await Task.Delay(wait, cancellationToken);
        }
    }
}
