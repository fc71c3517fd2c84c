using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using Entrepot.Contracts;

namespace Entrepot.Upstreams;

/// <summary>
/// The body of a response under the stall timeout: each read may take that long, all of them together as long as they like. One reader at a
/// time; a read that was cancelled or failed ends it for good.
/// </summary>
internal sealed class GuardedBody : IAsyncDisposable
{
    private readonly Upstream _upstream;
    private readonly HttpResponseMessage _response;
    private readonly Stream _stream;
    private readonly string _subject;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stall;

    /// <param name="upstream">Whose body it is.</param>
    /// <param name="response">Owned from now on.</param>
    /// <param name="subject">What it is, for messages.</param>
    /// <param name="time">The clock of the stall timeout.</param>
    /// <param name="cancellationToken">Checked before the body is opened.</param>
    public GuardedBody(Upstream upstream, HttpResponseMessage response, string subject, TimeProvider time, CancellationToken cancellationToken)
    {
        _upstream = upstream;
        _response = response;
        _subject = subject;
        _time = time;
        // Nothing is read or buffered here: the response came with its headers only.
        _stream = response.Content.ReadAsStream(cancellationToken);
        _stall = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <summary>The next bytes; 0 at the end that HTTP framing announces.</summary>
    /// <exception cref="UpstreamReadException">The upstream stalled or broke off.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var registration = cancellationToken.UnsafeRegister(static stall => ((CancellationTokenSource)stall!).Cancel(), _stall);
        _stall.CancelAfter(_upstream.Options.StallTimeout);
        try
        {
            return await _stream.ReadAsync(buffer, _stall.Token);
        }
        catch (Exception exception) when (cancellationToken.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        catch (Exception exception) when (_stall.IsCancellationRequested && exception is OperationCanceledException or IOException)
        {
            var limit = _upstream.Options.StallTimeout.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
            throw Broken($"sent nothing of {_subject} for {limit} s", exception);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw Broken($"broke off in the middle of {_subject}", exception);
        }
        finally
        {
            // Disarmed between reads: a reader that takes its time is not the upstream's fault.
            _stall.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The whole of a small body, or null when it is longer than the limit. It has a deadline: a document that trickles is of no use.</summary>
    /// <exception cref="UpstreamReadException">The upstream stalled, broke off, or was too slow.</exception>
    public async Task<ReadOnlyMemory<byte>?> ReadAllOrNullAsync(int maxBytes, TimeSpan deadline, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(deadline, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            return await ReadAllOrNullAsync(maxBytes, either.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw Broken($"sent {_subject} too slowly", exception);
        }
    }

    private async Task<ReadOnlyMemory<byte>?> ReadAllOrNullAsync(int maxBytes, CancellationToken cancellationToken)
    {
        var announced = _response.Content.Headers.ContentLength;
        if (announced > maxBytes)
            return null;

        var body = new ArrayBufferWriter<byte>((int)Math.Max(announced ?? 0, 4096) + 1);
        while (true)
        {
            var read = await ReadAsync(body.GetMemory(4096), cancellationToken);
            if (read == 0)
                return body.WrittenMemory;
            body.Advance(read);
            if (body.WrittenCount > maxBytes)
                return null;
        }
    }

    public UpstreamReadException Broken(string what, Exception? cause, FetchOutcome outcome = FetchOutcome.Unavailable) =>
        new(new UpstreamFailure(outcome, $"Upstream {_upstream.Name} {what}."), cause);

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _response.Dispose();
        _stall.Dispose();
    }
}
