using Entrepot.Storage;

namespace Entrepot.Cluster;

/// <summary>An open GET. Read in order it is one request; a reader that jumps makes another.</summary>
internal sealed class S3BlobSource(S3BlobStore store, StoredBlob blob, HttpResponseMessage response, Stream stream, long start, long end) : IBlobSource
{
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(10);

    private HttpResponseMessage _response = response;
    private Stream _stream = stream;
    private long _position = start, _end = end;

    public ValueTask<bool> WaitAsync(long offset, CancellationToken cancellationToken) => ValueTask.FromResult(offset < blob.Size);

    public async ValueTask<int> ReadAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            if (offset != _position || offset >= _end)
            {
                if (await store.GetOrNullAsync(blob, offset, blob.Size, cancellationToken) is not var (response, stream)) return 0;
                Close();
                (_response, _stream, _position, _end) = (response, stream, offset, blob.Size);
            }
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(Stall);
            var read = await _stream.ReadAsync(buffer, limit.Token);
            _position += read;
            return read;
        }
        catch (Exception e) when (e is IOException or HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // The source has ended: who reads asks again what holds the rest.
            return 0;
        }
    }

    public FileStretch? FileAt(long offset) => null;

    public void Dispose()
    {
        Close();
    }

    private void Close()
    {
        _stream.Dispose();
        _response.Dispose();
    }
}
