using System.Runtime.CompilerServices;
using Entrepot.Contracts;

namespace Entrepot.Upstreams;

/// <summary>
/// The running body of a blob or a part of it. It holds a connection and one of the upstream's slots until it is disposed. For one reader
/// at a time; nothing in it has been verified.
/// </summary>
public sealed class BlobStream : IAsyncDisposable
{
    private readonly UpstreamExchange _exchange;
    private readonly GuardedBody _body;
    private readonly string _subject;
    private readonly IDisposable _slot;
    private long _received;

    internal BlobStream(UpstreamExchange exchange, GuardedBody body, BlobRange range, Uri? location, string subject, IDisposable slot)
    {
        _exchange = exchange;
        _body = body;
        _subject = subject;
        _slot = slot;
        Start = range.Start;
        EndInclusive = range.EndInclusive;
        TotalSize = range.TotalSize;
        IsWhole = range.IsWhole;
        Location = location;
    }

    /// <summary>The size of the whole blob in bytes; null when the upstream did not say.</summary>
    public long? TotalSize { get; }

    /// <summary>The offset of the first byte: the one asked for, or 0 when <see cref="IsWhole"/>.</summary>
    public long Start { get; }

    /// <summary>The offset of the last byte, which may lie before the one asked for; -1 for an empty blob; null when the upstream did not say.</summary>
    public long? EndInclusive { get; }

    /// <summary>Whether the upstream sends the whole blob (status 200), also when a range was asked for.</summary>
    public bool IsWhole { get; }

    /// <summary>
    /// Where a redirect led, for further ranges of the same fetch; null when the registry itself sends the body. It is as good as a password
    /// for the blob: never for logs or messages.
    /// </summary>
    public Uri? Location { get; }

    /// <summary>Reads the next bytes; 0 only when all announced bytes have come.</summary>
    /// <exception cref="UpstreamReadException">The upstream stalled, closed early, or sent more than it announced. The stream is then over.</exception>
    /// <exception cref="OperationCanceledException">The caller cancelled. The stream is then over.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        var read = await _body.ReadAsync(buffer, cancellationToken);
        var left = EndInclusive - Start + 1 - _received;
        if (read == 0 && left > 0 && !buffer.IsEmpty)
            throw _body.Broken($"closed {_subject} {left} bytes early", cause: null);
        if (read > left)
            throw _body.Broken($"sent more bytes of {_subject} than it announced", cause: null, FetchOutcome.Corrupt);

        _received += read;
        _exchange.CountBytes(read);
        return read;
    }

    /// <summary>Gives the slot back, and the connection or closes it. Not while a read is running.</summary>
    public async ValueTask DisposeAsync()
    {
        await _body.DisposeAsync();
        _slot.Dispose();
    }
}
