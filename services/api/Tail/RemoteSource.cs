using Entrepot.Storage;

namespace Entrepot.Api.Tail;

/// <summary>The bytes of a running download as a fetcher sends them. Waiting for the next holds no memory. Ended once the fetcher is: who reads then asks again who has the rest.</summary>
internal sealed class RemoteSource(RemoteFetch fetch) : IBlobSource
{
    // A wait for no byte may end early: for an event that a read has answered already. The read after it then finds nothing, and must not wait for long: only a wait
    // is looked after.
    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(1);

    // An owner that is gone without a word ends no request: only who waits for it does, by leaving.
    private readonly CancellationTokenSource _left = new();
    private HttpResponseMessage? _response;
    private Stream? _stream;
    private long _position;
    private bool _hasEnded;

    public async ValueTask<bool> WaitAsync(long offset, CancellationToken cancellationToken)
    {
        if (_hasEnded) return false;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _left.Token);
        try
        {
            if ((_stream is null || offset != _position) && !await OpenAsync(offset, waiting.Token)) return false;
            _ = await _stream!.ReadAsync(Memory<byte>.Empty, waiting.Token); // Of no byte: it waits for one.
            return true;
        }
        catch (Exception e) when (e is IOException or HttpRequestException || (e is OperationCanceledException && !waiting.IsCancellationRequested))
        {
            // Cancelled by nobody: that is how the HTTP client says that it could not connect in time.
            fetch.Broke(e.Message);
            _hasEnded = true;
            return false;
        }
    }

    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_stream is null || offset != _position) return 0;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ReadLimit);
        try
        {
            var read = await _stream.ReadAsync(buffer, limit.Token);
            _position += read;
            _hasEnded = read == 0;
            return read;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            _hasEnded = true;
            return 0;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            fetch.Broke(e.Message);
            _hasEnded = true;
            return 0;
        }
    }

    public FileStretch? FileAt(long offset) => null;

    /// <summary>Also while a wait is out, which ends then.</summary>
    public void Dispose()
    {
        if (_left.IsCancellationRequested) return;
        _left.Cancel();
        Close();
        _left.Dispose();
    }

    private async Task<bool> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        Close();
        _stream = null;
        if (await fetch.OpenAsync(offset, cancellationToken) is not { } response)
        {
            _hasEnded = true;
            return false;
        }
        Interlocked.Exchange(ref _response, response);
        if (_left.IsCancellationRequested)
        {
            // It came just after the reader had left.
            Close();
            _hasEnded = true;
            return false;
        }
        (_stream, _position) = (await response.Content.ReadAsStreamAsync(cancellationToken), offset);
        return true;
    }

    /// <summary>With the response goes its stream, and with that, unless it was read to its end, the connection.</summary>
    private void Close() => Interlocked.Exchange(ref _response, null)?.Dispose();
}
