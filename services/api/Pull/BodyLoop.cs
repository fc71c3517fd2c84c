using System.IO.Pipelines;
using Entrepot.Api.Index;
using Entrepot.Api.Responses;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Entrepot.Api.Pull;

/// <summary>
/// The one loop that writes every blob body, over (source, offset): the store, a running fetch, or its next owner. A source that ends early is
/// replaced behind the client's back. Gives up only when nothing will ever hold the bytes, or after a minute without one in which the fetch brings none either; then the response ends
/// short of its Content-Length (FIN and not RST: clients resume from that).
/// </summary>
internal sealed class BodyLoop(ApiOptions options, Draining draining, ILogger<BodyLoop> log)
{
    // A file's bytes may have to be read from the disk by the thread that polls the sockets: no more of them at once than others can wait for.
    private const int ChunkBytes = 256 * 1024, FileStepBytes = 1024 * 1024;

    private static readonly TimeSpan Still = TimeSpan.FromSeconds(2), Between = TimeSpan.FromMilliseconds(50);

    /// <summary>Writes the body. Returns how many bytes of the blob were sent; fewer than asked for when it had to end short or the client left.</summary>
    public async Task<long> WriteAsync(PullRequest pull, BlobBody body, BlobLocator locator)
    {
        var response = pull.Http.Response;
        if (body.Parts.Count == 0) return 0;
        long sent = 0;
        try
        {
            // Headers first: before that, GetMemory buffers the body.
            await response.StartAsync(pull.Aborted);
            foreach (var part in body.Parts)
            {
                if (part.Header is not null) await response.BodyWriter.WriteAsync(part.Header, pull.Aborted);
                var written = await WritePartAsync(pull, part, locator);
                sent += written;
                if (written < part.Length) return sent;
            }
            if (body.Trailer is not null) await response.BodyWriter.WriteAsync(body.Trailer, pull.Aborted);
        }
        catch (OperationCanceledException) when (pull.Aborted.IsCancellationRequested)
        {
            // The client has left; the fetch goes on without it.
        }
        return sent;
    }

    private async Task<long> WritePartAsync(PullRequest pull, BodyPart part, BlobLocator locator)
    {
        var writer = pull.Http.Response.BodyWriter;
        var direct = pull.Http.Features.Get<IDirectBodyFeature>();
        if (locator.Bytes is { } bytes)
        {
            await writer.WriteAsync(bytes.AsMemory((int)part.Start, (int)part.Length), pull.Aborted);
            return part.Length;
        }
        var (offset, end, why) = (part.Start, part.Start + part.Length, "nothing holds the rest");
        using var sending = CancellationTokenSource.CreateLinkedTokenSource(pull.Aborted, draining.CutShort);
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(pull.Aborted, draining.CutShort);
        IBlobSource? source = null;
        try
        {
            // Armed by progress only, the body's or the fetch's: whatever is tried meanwhile, a minute without a byte is the end.
            stall.CancelAfter(options.BodyStallTimeout);
            while (offset < end)
            {
                try
                {
                    source ??= await locator.LocateAsync(offset, end, stall.Token);
                }
                catch (Exception e) when (e is DatabaseUnavailableException || IsOfTheSource(e, stall))
                {
                    await Task.Delay(Still, stall.Token);
                    continue;
                }
                if (source is null) break;
                if (!await WaitAsync(source, offset, locator, stall))
                {
                    source.Dispose();
                    source = null;
                    await Task.Delay(Between, stall.Token);
                    continue;
                }
                var (count, isGone) = await SendAsync(source, direct, writer, part, offset, locator, stall, sending.Token);
                offset += count;
                if (isGone)
                {
                    why = "the client's connection is gone";
                    break;
                }
                if (count > 0)
                {
                    stall.CancelAfter(options.BodyStallTimeout);
                    continue;
                }
                source.Dispose();
                source = null;
                // One that opens and has nothing would else be opened as fast as it can be.
                await Task.Delay(Between, stall.Token);
            }
        }
        catch (OperationCanceledException) when (!pull.Aborted.IsCancellationRequested)
        {
            why = draining.CutShort.IsCancellationRequested ? "this process ends" : "no byte came for too long";
        }
        finally
        {
            source?.Dispose();
        }
        if (offset < end && !pull.Aborted.IsCancellationRequested) log.EndedShort(pull.Repository, offset, end, why);
        return offset - part.Start;
    }

    /// <summary>Waits for the byte at <paramref name="offset"/>; a running fetch that stands still for 2 s is looked after.</summary>
    private async ValueTask<bool> WaitAsync(IBlobSource source, long offset, BlobLocator locator, CancellationTokenSource stall)
    {
        try
        {
            var waiting = source.WaitAsync(offset, stall.Token);
            if (waiting.IsCompleted) return await waiting;
            var task = waiting.AsTask();
            while (true)
            {
                try
                {
                    return await task.WaitAsync(Still, stall.Token);
                }
                catch (TimeoutException)
                {
                    if (await locator.HasMovedOnAsync(stall.Token)) return false;
                    if (locator.HasProgressed()) stall.CancelAfter(options.BodyStallTimeout);
                }
            }
        }
        catch (Exception e) when (IsOfTheSource(e, stall))
        {
            return false;
        }
    }

    private static async ValueTask<int> ReadAsync(IBlobSource source, long offset, Memory<byte> buffer, CancellationTokenSource stall)
    {
        try
        {
            return await source.ReadAsync(offset, buffer, stall.Token);
        }
        catch (Exception e) when (IsOfTheSource(e, stall))
        {
            return 0;
        }
    }

    /// <summary>Whether it ends a source at most, and no body: another may have the rest. A cancellation that is not ours is some time limit below.</summary>
    private static bool IsOfTheSource(Exception e, CancellationTokenSource stall) =>
        e is OperationCanceledException ? !stall.IsCancellationRequested : e is IOException or HttpRequestException or ObjectDisposedException;

    /// <summary>Sends what the source has at the offset: out of its file or its connection where that is possible, else through memory. A count of 0: the source has ended.</summary>
    private static async ValueTask<BodySent> SendAsync(
        IBlobSource source, IDirectBodyFeature? direct, PipeWriter writer, BodyPart part, long offset, BlobLocator locator, CancellationTokenSource stall, CancellationToken cancellationToken)
    {
        var left = part.Start + part.Length - offset;
        if (direct is not null && left > BlobEntry.SmallBytes)
        {
            if (source.FileAt(offset) is { } stretch)
            {
                var count = (int)Math.Min(Math.Min(stretch.Count, left), FileStepBytes);
                stall.CancelAfter(Timeout.InfiniteTimeSpan);
                return await direct.SendAsync(writer, stretch.File, offset, count, cancellationToken);
            }
            using KernelBuffer buffer = new();
            var filled = await ReadAsync(source, offset, buffer.Memory[..(int)Math.Min(KernelBuffer.Bytes, left)], stall);
            if (filled == 0) return default;
            stall.CancelAfter(Timeout.InfiniteTimeSpan);
            return await direct.SendAsync(writer, buffer, filled, cancellationToken);
        }
        var memory = writer.GetMemory(ChunkBytes);
        var read = await ReadAsync(source, offset, memory[..(int)Math.Min(memory.Length, left)], stall);
        if (read == 0) return default;
        Keep(locator.Held, part, memory[..read]);
        writer.Advance(read);
        // A client may read as slowly as it likes: only our own side has to make progress.
        stall.CancelAfter(Timeout.InfiniteTimeSpan);
        return new BodySent(read, (await writer.FlushAsync(cancellationToken)).IsCompleted);
    }

    /// <summary>A small blob that was read whole stays in memory.</summary>
    private static void Keep(BlobEntry? entry, BodyPart part, ReadOnlyMemory<byte> read)
    {
        if (entry is { Size: <= BlobEntry.SmallBytes, Bytes: null } && part.Start == 0 && read.Length == entry.Size) entry.Bytes = read.ToArray();
    }
}
