using System.Buffers;
using Entrepot.Contracts;
using Entrepot.Storage;
using Entrepot.Upstreams;

namespace Entrepot.Fetcher.Work;

/// <summary>
/// Copies one response into the spool. Writes are few and large while the upstream keeps up, and prompt when it does not: what has come is
/// written before the next bytes are waited for. TLS hands out 16 KiB at a time.
/// </summary>
internal sealed class RangeCopy(Spool spool, BlobStream stream, long offset, long end, string upstream)
{
    private const int BufferBytes = 256 * 1024;

    private byte[]? _buffer;
    private int _filled, _written;
    private CancellationTokenSource? _reading;

    /// <summary>Copies from the offset up to the end, or until the response breaks; returns the offset reached and what broke.</summary>
    public async Task<(long Reached, UpstreamFailure? Broke)> RunAsync(CancellationToken cancellationToken)
    {
        using var reading = _reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            await SkipAsync(cancellationToken);
            while (true)
            {
                var read = await ReadAsync(cancellationToken);
                if (read == 0)
                {
                    await WriteAsync(cancellationToken);
                    return (offset, offset == end ? null : new UpstreamFailure(FetchOutcome.Unavailable, $"{upstream} closed the connection at byte {offset} of {spool.Digest}"));
                }
                _filled += read;
                var reached = offset - _written + _filled;
                if (reached > end) return (offset, new UpstreamFailure(FetchOutcome.Corrupt, $"{upstream} sent more than the {end} bytes announced for {spool.Digest}"));
                var isLast = reached == end && (stream.IsWhole || stream.EndInclusive + 1 == end);
                if (isLast || _filled == _buffer!.Length) await WriteAsync(cancellationToken);
                if (isLast) return (offset, null);
            }
        }
        catch (UpstreamReadException e)
        {
            await WriteAsync(cancellationToken);
            return (offset, e.Failure);
        }
        finally
        {
            Drop();
        }
    }

    private async ValueTask<int> ReadAsync(CancellationToken cancellationToken)
    {
        // A byte more than can come shows a response that is too long, where its length is not announced and should end here.
        var most = end - (offset - _written) + (stream.EndInclusive is null && end == spool.Size ? 1 : 0);
        _buffer ??= ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferBytes, most));
        var space = (int)Math.Min(_buffer.Length, most) - _filled;
        var reading = stream.ReadAsync(_buffer.AsMemory(_filled, space), _reading!.Token);
        if (reading.IsCompleted || _filled == _written) return await reading;
        var pending = reading.AsTask();
        try
        {
            await spool.WriteAsync(offset, _buffer.AsMemory(_written, _filled - _written), cancellationToken);
        }
        catch
        {
            // The array and the response are the read's until that has ended.
            await _reading!.CancelAsync();
            await ((Task)pending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        offset += _filled - _written;
        _written = _filled;
        CrashPoint.Reached(3); // some bytes
        return await pending;
    }

    /// <summary>Writes what is filled and not written, and lets go of the array.</summary>
    private async ValueTask WriteAsync(CancellationToken cancellationToken)
    {
        if (_buffer is not { } buffer || _filled == _written) return;
        var count = _filled - _written;
        if (_written == 0)
        {
            _buffer = null;
            await spool.WriteRentedAsync(offset, buffer, count, cancellationToken);
        }
        else
        {
            await spool.WriteAsync(offset, buffer.AsMemory(_written, count), cancellationToken);
        }
        offset += count;
        Drop();
        CrashPoint.Reached(3); // some bytes
    }

    /// <summary>A source that sends the whole again although a range was asked for: what is there already is read past.</summary>
    private async ValueTask SkipAsync(CancellationToken cancellationToken)
    {
        if (!stream.IsWhole || offset == 0) return;
        _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        for (var skip = offset; skip > 0;)
        {
            var read = await stream.ReadAsync(_buffer.AsMemory(0, (int)Math.Min(_buffer.Length, skip)), cancellationToken);
            if (read == 0) return;
            skip -= read;
        }
    }

    private void Drop()
    {
        if (_buffer is not null) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _filled, _written) = (null, 0, 0);
    }
}
