using System.Collections.Concurrent;
using Entrepot.TestSupport.Running;

namespace Entrepot.TestSupport.Upstream;

/// <summary>Every request that reached an upstream, in the order they came. Safe to use from several threads.</summary>
public sealed class RequestLog
{
    private readonly ConcurrentQueue<RecordedRequest> _requests = new();

    /// <summary>All requests so far.</summary>
    public IReadOnlyList<RecordedRequest> All => [.. _requests];

    /// <summary>The requests whose path contains <paramref name="pathContains"/>, and whose method is <paramref name="method"/> when it is given.</summary>
    public IReadOnlyList<RecordedRequest> Matching(string pathContains, string? method = null) =>
        [.. _requests.Where(r => r.Path.Contains(pathContains, StringComparison.Ordinal) && (method is null || r.Method == method))];

    /// <summary>Waits until no request is running: a client may have its last byte a moment before the log says that it was sent.</summary>
    /// <exception cref="TimeoutException">Some request was still running at the deadline (default 10 s).</exception>
    public Task SettleAsync(TimeSpan? deadline = null, CancellationToken cancellationToken = default) =>
        Eventually.Async(() => _requests.All(request => request.FinishedAt is not null), deadline ?? TimeSpan.FromSeconds(10), "all requests at the upstream to end", cancellationToken);

    /// <summary>What each GET of a blob brought, sorted by position: answers 200 and 206 only.</summary>
    /// <param name="digest">The blob's digest, <c>sha256:…</c>.</param>
    public IReadOnlyList<BlobSpan> BlobRanges(string digest) =>
    [
        .. Matching(digest, "GET")
            .Where(r => r.Status is 200 or 206)
            .Select(r => new BlobSpan(r.FirstByte, r.TotalSize is { } total ? LastByte(r, total) : -1, r.BytesSent, r))
            .OrderBy(span => span.From),
    ];

    /// <summary>Body bytes of a blob that were sent altogether.</summary>
    public long BlobBytes(string digest) => BlobRanges(digest).Sum(span => span.BytesSent);

    /// <summary>
    /// Passes when no byte of the blob was sent twice: the spans do not overlap, and their sum is at most 1.01 times the size.
    /// Gives requests that still run a second to end.
    /// </summary>
    /// <param name="digest">The blob's digest.</param>
    /// <param name="sizeBytes">Its size.</param>
    /// <param name="complete">Also asks that every byte was sent.</param>
    /// <exception cref="InvalidOperationException">A byte was sent twice, or (with <paramref name="complete"/>) not at all; the message lists the spans.</exception>
    public void AssertNoByteTwice(string digest, long sizeBytes, bool complete = true)
    {
        SpinWait.SpinUntil(() => Matching(digest).All(request => request.FinishedAt is not null), TimeSpan.FromSeconds(1));
        var spans = BlobRanges(digest);
        long end = 0, bytes = 0;
        foreach (var span in spans.Where(span => span.BytesSent > 0))
        {
            if (span.From < end) throw Failure($"bytes {span.From} to {Math.Min(end, span.From + span.BytesSent) - 1} were sent twice", digest, spans);
            if (complete && span.From > end) throw Failure($"bytes {end} to {span.From - 1} were never sent", digest, spans);
            end = span.From + span.BytesSent;
            bytes += span.BytesSent;
        }

        if (bytes > sizeBytes * 1.01) throw Failure($"{bytes} bytes were sent for {sizeBytes}", digest, spans);
        if (complete && end < sizeBytes) throw Failure($"bytes {end} to {sizeBytes - 1} were never sent", digest, spans);
    }

    /// <summary>Forgets all requests.</summary>
    public void Clear() => _requests.Clear();

    /// <inheritdoc/>
    public override string ToString() => string.Join('\n', _requests);

    internal void Add(RecordedRequest request) => _requests.Enqueue(request);

    private static long LastByte(RecordedRequest request, long total)
    {
        if (request.Status == 200 || request.Range is null) return total - 1;
        var dash = request.Range.IndexOf('-', StringComparison.Ordinal);
        return long.TryParse(request.Range.AsSpan(dash + 1), out var last) && dash > "bytes=".Length ? Math.Min(last, total - 1) : total - 1;
    }

    private static InvalidOperationException Failure(string what, string digest, IReadOnlyList<BlobSpan> spans) =>
        new($"{digest}: {what}. Upstream's log of it:\n{string.Join('\n', spans.Select(span => span.Request))}");
}
