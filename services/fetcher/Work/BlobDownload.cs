using System.Buffers;
using System.Diagnostics;
using Entrepot.Contracts;
using Entrepot.Metadata;
using Entrepot.Storage;
using Entrepot.Upstreams;
using Microsoft.Extensions.Logging;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Downloads one blob from one source into its spool: over several connections when it is large and the source serves ranges, resuming where a
/// connection broke, from where the spool already is. No byte that has arrived is asked for again.
/// </summary>
internal sealed class BlobDownload(UpstreamClient client, FetchQueue queue, SpoolRoom room, FetcherIdentity identity, FetcherOptions options, FetcherMetrics metrics, ILogger<BlobDownload> log)
{
    private const int BufferSize = 128 * 1024, FailuresWithoutProgress = 5;
    private const long UnannouncedStep = 64L << 20;
    private const long EnoughBytesPerSecond = 128L << 20, AtOnceAlone = 128L << 20;
    private static readonly TimeSpan FirstLook = TimeSpan.FromMilliseconds(80), LookEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan TakeOverWait = TimeSpan.FromMilliseconds(300), TakeOverLook = TimeSpan.FromMilliseconds(10);

    /// <summary>Returns null when every byte is in the spool, else why the source can't deliver.</summary>
    /// <param name="fetch">The claim.</param>
    /// <param name="spool">Where the bytes go.</param>
    /// <param name="upstream">Whom to ask.</param>
    /// <param name="repository">Through which repository.</param>
    /// <param name="listed">The size in bytes as a manifest of that repository has it, if one does.</param>
    /// <param name="cancellationToken">The lease is lost, or the process ends.</param>
    public async Task<UpstreamFailure?> RunAsync(RunningFetch fetch, Spool spool, Upstream upstream, string repository, long? listed, CancellationToken cancellationToken)
    {
        using var trace = FetchTrace.Download();
        var from = new Source(upstream, repository, spool.Digest);
        var wanted = spool.Size is null ? await TakeOverAsync(fetch, spool, cancellationToken) : null;

        // 1 The first request tells the size, and whether the source serves ranges.
        // What a lost owner left is kept but for its last byte, so that there is always something to ask this source for.
        var expected = spool.Size ?? fetch.Claim.Size ?? fetch.Claim.ExpectedSize;
        if (!spool.HasFile && expected is > 0 && fetch.Claim.Progress > 0) spool.OpenFile(Math.Min(fetch.Claim.Progress, expected.Value - 1));
        var inPieces = (upstream.Options.Connections > 1 || wanted is not null) && expected >= options.ParallelFrom;
        var start = inPieces ? wanted ?? spool.Prefix : spool.Prefix;
        var firstEnd = inPieces ? Math.Min(expected!.Value, wanted is null ? (start / PieceQueue.LengthFor(expected.Value) + 1) * PieceQueue.LengthFor(expected.Value) : start + PieceQueue.Turn) : (long?)null;
        var opened = await client.OpenBlobAsync(upstream, repository, spool.Digest, start, firstEnd - 1, null, cancellationToken);
        if (opened.Failure is { } refused) return refused;
        var first = opened.Value;
        await using var _ = first;
        from.Location = first.Location;

        // 2 The size must be the one that this repository's own manifest lists, and that an earlier source announced.
        var known = spool.Size ?? listed;
        if (first.TotalSize is { } announced && known is { } said && announced != said)
            return new UpstreamFailure(FetchOutcome.Corrupt, $"{upstream.Name}/{repository} announces {announced} bytes for {spool.Digest}; it should have {said}");
        var size = first.TotalSize ?? known;
        if (size is null) return await UnannouncedAsync(fetch, spool, first, from, cancellationToken);

        // 3 Room for all of it, before its first byte is taken; the waiters may now send their headers.
        await room.TakeAsync(spool, size.Value, cancellationToken);
        // The row must never promise more than a file has that will be gone on with: pieces come in any order, and a process killed now would be resumed over holes.
        if (identity.Address.Length == 0 && spool.FilePrefix < fetch.Claim.Progress)
            await queue.RenewAsync(identity.Owner, [new LeaseProgress(fetch.Id, fetch.Fence, spool.FilePrefix)], cancellationToken);
        await AnsweredAsync(fetch, spool, new LiveAnswer(upstream.Name, repository, size.Value), cancellationToken);
        CrashPoint.Reached(2); // answered

        // 4 The bytes.
        UpstreamFailure? failure;
        try
        {
            failure = inPieces && !first.IsWhole && !spool.PassThrough
                ? await InPiecesAsync(spool, first, from, start, size.Value, cancellationToken)
                : await RangeAsync(spool, first.IsWhole || start == spool.Prefix ? first : null, from, spool.Prefix, size.Value, cancellationToken);
        }
        catch (SpoolFullException e)
        {
            // The disk filled up under us. What is there is good: go on through memory for those who read now.
            log.DiskFull(spool.Digest, e.Message);
            await room.GoOnInMemoryAsync(spool, cancellationToken);
            failure = await RangeAsync(spool, null, from, spool.Prefix, size.Value, cancellationToken);
        }
        return failure;
    }

    /// <summary>
    /// Lets the waiters of a lost owner in at once: its upstream has told them the size already. What they wait for is asked for first, the beginning beside it.
    /// </summary>
    /// <returns>The offset that is waited for; null when nothing was lost, or nobody has come.</returns>
    private async Task<long?> TakeOverAsync(RunningFetch fetch, Spool spool, CancellationToken cancellationToken)
    {
        var claim = fetch.Claim;
        if (claim is not { Size: { } size, AnsweredUpstream: { } upstream, AnsweredRepository: { } repository } || claim.Progress <= spool.FilePrefix || identity.Address.Length == 0) return null;
        await room.TakeAsync(spool, size, cancellationToken);
        spool.Answer(new LiveAnswer(upstream, repository, size));
        for (var looks = TakeOverWait / TakeOverLook; looks > 0; looks--)
        {
            if (spool.Wanted() is [var first, ..]) return first;
            await Task.Delay(TakeOverLook, cancellationToken);
        }
        return null;
    }

    /// <summary>Lets the waiters in, who ask the owner itself; the row tells whoever may have to take over, and while the database is away nobody can.</summary>
    private async Task AnsweredAsync(RunningFetch fetch, Spool spool, LiveAnswer answer, CancellationToken cancellationToken)
    {
        spool.Answer(answer);
        try
        {
            if (await queue.RecordAnswerAsync(fetch.Id, fetch.Fence, answer.Size, answer.Upstream, answer.Repository, cancellationToken)) return;
            fetch.Lose();
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (DatabaseUnavailableException e)
        {
            log.AnswerNotRecorded(spool.Digest, e.Message);
        }
    }

    /// <summary>
    /// The connections take the piece that is wanted most, until all are taken. The others join the first unless it brings enough by itself: where
    /// the network is no limit they would only cost this machine's time. By then the readers, who have just learnt the size, have said what they want.
    /// </summary>
    private async Task<UpstreamFailure?> InPiecesAsync(
        Spool spool, BlobStream first, Source from, long firstStart, long size, CancellationToken cancellationToken)
    {
        var firstEnd = Math.Min(size, first.EndInclusive!.Value + 1);
        var pieces = new PieceQueue(size, spool.Gaps(0, firstStart).Concat(spool.Gaps(firstEnd, size)));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var allTaken = CancellationTokenSource.CreateLinkedTokenSource(stop.Token);
        var isSlow = IsSlowAsync(spool, allTaken.Token);
        var connections = Enumerable.Range(0, from.Upstream.Options.Connections).Select(i => WorkAsync(i == 0 ? first : null)).ToList();
        UpstreamFailure? failure = null;
        Exception? broken = null;
        while (connections.Count > 0)
        {
            var done = await Task.WhenAny(connections);
            connections.Remove(done);
            try
            {
                failure ??= await done;
            }
            catch (Exception e)
            {
                // The first cause counts; the others were cancelled by it.
                broken ??= e;
            }
            if (failure is not null || broken is not null) await stop.CancelAsync();
        }
        if (failure is null && broken is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(broken);
        return failure;

        async Task<UpstreamFailure?> WorkAsync(BlobStream? opened)
        {
            if (opened is null && !await isSlow) return null;
            var piece = opened is null ? Take() : (firstStart, firstEnd);
            while (piece is var (start, end))
            {
                if (await RangeAsync(spool, opened, from, start, end, stop.Token) is { } broke) return broke;
                opened = null;
                piece = Take();
            }
            await allTaken.CancelAsync();
            return null;
        }

        // A connection that is fast enough alone leaves nothing to the others: it asks for much at once.
        (long Start, long End)? Take() => pieces.Take(spool.Wanted(), isSlow.IsCompleted ? 0 : AtOnceAlone);
    }

    /// <summary>Whether what comes over the first connection falls below <see cref="EnoughBytesPerSecond"/> before it has taken the last piece.</summary>
    private static async Task<bool> IsSlowAsync(Spool spool, CancellationToken allTaken)
    {
        try
        {
            for (var look = FirstLook; ; look = LookEvery)
            {
                var (bytes, since) = (spool.FileBytes, Stopwatch.GetTimestamp());
                await Task.Delay(look, allTaken);
                if (spool.FileBytes - bytes < EnoughBytesPerSecond * Stopwatch.GetElapsedTime(since).TotalSeconds) return true;
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Brings [start, end), resuming after every break; gives up without progress for <see cref="FetcherOptions.GiveUpAfter"/>, or broken five times at one offset.</summary>
    private async Task<UpstreamFailure?> RangeAsync(Spool spool, BlobStream? opened, Source from, long start, long end, CancellationToken cancellationToken)
    {
        var (offset, failures, refusals, lastProgress) = (start, 0, 0, Stopwatch.GetTimestamp());
        while (true)
        {
            UpstreamFailure failure;
            var stream = opened;
            opened = null;
            if (stream is null)
            {
                var result = await client.OpenBlobAsync(from.Upstream, from.Repository, spool.Digest, offset, end == spool.Size ? null : end - 1, from.Location, cancellationToken);
                stream = result.IsSuccess ? result.Value : null;
                failure = result.Failure!;
            }
            else
            {
                failure = null!;
            }
            if (stream is not null)
            {
                await using (stream)
                {
                    from.Location = stream.Location;
                    if (stream.TotalSize is { } total && total != spool.Size)
                        return new UpstreamFailure(FetchOutcome.Corrupt, $"{from.Upstream.Name}/{from.Repository} announces {total} bytes for {spool.Digest} and announced {spool.Size} before");
                    var (reached, broke) = await new RangeCopy(spool, stream, offset, end, from.Upstream.Name).RunAsync(cancellationToken);
                    if (reached == end && broke is null) return null;
                    if (broke is { Outcome: FetchOutcome.Corrupt }) return broke;
                    failure = broke!;
                    (failures, refusals) = (reached > offset ? 1 : failures + 1, 0);
                    if (reached > offset) lastProgress = Stopwatch.GetTimestamp();
                    offset = reached;
                }
            }
            else if (failure.Outcome is not (FetchOutcome.Unavailable or FetchOutcome.RateLimited))
            {
                return failure;
            }
            else
            {
                // The place it was redirected to may be gone for good, and the registry know another.
                from.Location = null;
                refusals++;
            }
            if (failures > FailuresWithoutProgress || Stopwatch.GetElapsedTime(lastProgress) > options.GiveUpAfter) return failure;
            metrics.Resumed(from.Upstream.Name);
            log.Resuming(spool.Digest, offset, failure.Message);
            log.IfLimited(spool.Digest.ToString(), from.Upstream.Name, from.Repository, failure);
            var pause = failure.RetryAfter ?? TimeSpan.FromMilliseconds(Math.Min(2000, 100 << Math.Min(failures + refusals, 5)));
            await Task.Delay(pause < options.GiveUpAfter ? pause : options.GiveUpAfter, cancellationToken);
        }
    }

    /// <summary>A source that announces no length, for a blob whose size nobody knows: readers must wait until the end shows it.</summary>
    private async Task<UpstreamFailure?> UnannouncedAsync(RunningFetch fetch, Spool spool, BlobStream stream, Source from, CancellationToken cancellationToken)
    {
        if (!stream.IsWhole) return new UpstreamFailure(FetchOutcome.Unavailable, $"{from.Upstream.Name} sends a part of {spool.Digest} without saying how large it is");
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            if (!spool.HasFile) spool.OpenFile(0);
            var (offset, reserved) = (0L, 0L);
            while (true)
            {
                var read = await stream.ReadAsync(buffer, cancellationToken);
                if (read == 0) break;
                if (offset + read > reserved && !await room.TryReserveAsync(spool, reserved = offset + UnannouncedStep, cancellationToken))
                    return new UpstreamFailure(FetchOutcome.TooLarge, $"there is no room for {spool.Digest}, whose size {from.Upstream.Name} does not announce");
                // What an earlier source sent is there already.
                var skip = (int)Math.Clamp(spool.Prefix - offset, 0, read);
                if (read > skip) await spool.WriteAsync(offset + skip, buffer.AsMemory(skip, read - skip), cancellationToken);
                offset += read;
            }
            await AnsweredAsync(fetch, spool, new LiveAnswer(from.Upstream.Name, from.Repository, offset), cancellationToken);
            return null;
        }
        catch (UpstreamReadException e)
        {
            return e.Failure;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Where the bytes come from; a redirect is resolved once and used for every later range until it is refused.</summary>
    private sealed class Source(Upstream upstream, string repository, Oci.Digest digest)
    {
        public Upstream Upstream { get; } = upstream;

        public string Repository { get; } = repository;

        public Oci.Digest Digest { get; } = digest;

        public Uri? Location { get; set; }
    }
}
