using System.Globalization;
using Entrepot.TestSupport.Clients;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Running;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.TestSupport.Product;

/// <summary>What the clients of a running download saw, and what it cost the upstream, when the fetcher that brought it was lost.</summary>
public sealed record OwnerLoss
{
    private static readonly TimeSpan UntilLost = TimeSpan.FromMinutes(1), UntilSettled = TimeSpan.FromMinutes(2);

    /// <summary>The fetcher that was lost, such as <c>fetcher-2</c>.</summary>
    public required string Owner { get; init; }

    /// <summary>Which share of the layer had left the upstream when it was about to be lost.</summary>
    public required double LostAt { get; init; }

    /// <summary>Whether another claimed the row. One that is told to stop may bring what it has to its end.</summary>
    public required bool TakenOver { get; init; }

    /// <summary>What went wrong at clients: no answer, another status than 200, a body that ended too early. Empty when nothing did.</summary>
    public required IReadOnlyList<string> Errors { get; init; }

    /// <summary>How many whole bodies were not the layer's bytes.</summary>
    public required int WrongDigests { get; init; }

    /// <summary>The longest time that any client waited for its next bytes since the loss.</summary>
    public required TimeSpan LongestPause { get; init; }

    /// <summary>The longest such time of the whole download. When it is greater, it was over before the loss and has other reasons.</summary>
    public required TimeSpan LongestPauseOfAll { get; init; }

    /// <summary>Bytes of the layer that left the upstream, as a multiple of its size.</summary>
    public required double UpstreamBytes { get; init; }

    /// <summary>From the loss until the last client had all.</summary>
    public required TimeSpan DoneAfter { get; init; }

    /// <summary>
    /// Lets clients read a cold layer through all api replicas at once, loses the fetcher that downloads it, and mends it when all have ended and the
    /// layer's row has.
    /// </summary>
    /// <param name="cluster">With several fetchers, and nothing else to do.</param>
    /// <param name="upstream">Its upstream, slow enough for the download to be cut.</param>
    /// <param name="repository">An image nobody has pulled yet, with the tag 1.</param>
    /// <param name="layer">Its layer.</param>
    /// <param name="share">When: as soon as this share of the layer has left the upstream.</param>
    /// <param name="clients">How many read.</param>
    /// <param name="lose">Does it to the fetcher of that name.</param>
    /// <param name="mend">Has it work again.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="InvalidOperationException">The download was over before it could be cut.</exception>
    /// <exception cref="TimeoutException">The download did not begin, or its row never ended.</exception>
    public static async Task<OwnerLoss> PlayAsync(
        EntrepotCluster cluster, UpstreamFront upstream, string repository, Layer layer, double share, int clients, Func<string, Task> lose, Func<string, Task> mend,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cluster);
        ArgumentNullException.ThrowIfNull(upstream);
        ArgumentNullException.ThrowIfNull(layer);
        var apis = cluster.Apis;
        await BlobReader.ReadManifestAsync(apis[0], repository, "1", cancellationToken: cancellationToken);
        var reads = Enumerable.Range(0, clients).Select(i => BlobReader.TryReadBlobAsync(apis[i % apis.Count], repository, layer.Digest, cancellationToken)).ToArray();
        var row = "";
        await Eventually.Async(
            async () => (row = await cluster.QueryAsync($"SELECT concat_ws(' ', id, fence, owner_address) FROM fetches WHERE state = 'Running' AND kind = 'Blob' AND reference = '{layer.Digest}'", cancellationToken)) != "",
            UntilLost, "the download to begin", cancellationToken);
        var (id, fence, address) = row.Split(' ') is [var first, var second, var third] ? (first, second, third) : throw new InvalidOperationException($"The row of the download is '{row}'.");
        var owner = cluster.NameOf(new Uri(address));
        await Eventually.Async(() => upstream.Log.BlobBytes(layer.Digest) >= layer.Size * share, UntilLost, $"{share:P0} of the layer", cancellationToken);
        var lostAt = upstream.Log.BlobBytes(layer.Digest) / (double)layer.Size;
        if (reads.All(read => read.IsCompleted)) throw new InvalidOperationException("The download was over before its fetcher could be lost.");

        var began = TestClock.Now;
        await lose(owner);
        var results = await Task.WhenAll(reads);
        await Eventually.Async(
            async () => await cluster.QueryAsync($"SELECT count(*) FROM fetches WHERE id = '{id}' AND state IN ('Queued', 'Running')", cancellationToken) == "0", UntilSettled, "the download's row to end", cancellationToken);
        await mend(owner);
        await upstream.Log.SettleAsync(UntilSettled, cancellationToken);

        var bodies = results.Select(result => result.Read).OfType<BlobRead>().ToArray();
        return new OwnerLoss
        {
            Owner = owner,
            LostAt = lostAt,
            TakenOver = await cluster.QueryAsync($"SELECT fence FROM fetches WHERE id = '{id}'", cancellationToken) != fence,
            Errors = [.. results.Select(result => result.Error).OfType<string>()],
            WrongDigests = bodies.Count(read => read.Status == 200 && read.Completed && read.Digest != layer.Digest),
            LongestPause = bodies.Select(read => read.LongestPauseSince(began)).DefaultIfEmpty().Max(),
            LongestPauseOfAll = bodies.Select(read => read.LongestPause).DefaultIfEmpty().Max(),
            UpstreamBytes = upstream.Log.BlobBytes(layer.Digest) / (double)layer.Size,
            DoneAfter = bodies.Select(read => read.FinishedAt - began).DefaultIfEmpty().Max(),
        };
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Owner} lost at {LostAt:P0}{(TakenOver ? "" : ", not taken over")}: {Errors.Count} errors, {WrongDigests} wrong digests, longest pause {LongestPause.TotalSeconds:0.0} s (of the whole download {LongestPauseOfAll.TotalSeconds:0.0} s), {UpstreamBytes:0.00}x from upstream, all done {DoneAfter.TotalSeconds:0.0} s after");
}
