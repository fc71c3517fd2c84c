using Entrepot.Storage;

namespace Entrepot.Api.Tail;

/// <summary>The bytes of a running download as a fetcher sends them. Waiting for the next holds no memory. Ended once the fetcher is: who reads then asks again who has the rest.</summary>
internal sealed class RemoteSource(RemoteFetch fetch) : IBlobSource
{
    // A wait for no byte may end early: for an event that a read has answered already. The read after it then finds nothing, and must not wait for long: only a wait
    // is looked after.
    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(1);

    private HttpResponseMessage? _response;
    private Stream? _stream;
    private long _position;
    private bool _hasEnded;

    public async ValueTask<bool> WaitAsync(long offset, CancellationToken cancellationToken)
    {
        if (_hasEnded) return false;
        try
        {
            if ((_stream is null || offset != _position) && !await OpenAsync(offset, cancellationToken)) return false;
            _ = await _stream!.ReadAsync(Memory<byte>.Empty, cancellationToken); // Of no byte: it waits for one.
            return true;
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            fetch.Broke();
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
            fetch.Broke();
            _hasEnded = true;
            return 0;
        }
    }

    public FileStretch? FileAt(long offset) => null;

    public void Dispose()
    {
        _stream?.Dispose();
        _response?.Dispose();
    }

    private async Task<bool> OpenAsync(long offset, CancellationToken cancellationToken)
    {
        Dispose();
        (_stream, _response) = (null, await fetch.OpenAsync(offset, cancellationToken));
        if (_response is null)
        {
            _hasEnded = true;
            return false;
        }
        (_stream, _position) = (await _response.Content.ReadAsStreamAsync(cancellationToken), offset);
        return true;
    }
}
