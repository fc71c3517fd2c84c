using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using Entrepot.Hosting;
using Entrepot.Metadata;
using Entrepot.Oci;
using Entrepot.Storage;
using Microsoft.Win32.SafeHandles;
using StoredObject = Entrepot.Storage.StoredObject;

namespace Entrepot.Cluster;

/// <summary>Blobs as objects <c>blobs/sha256/ab/&lt;hex&gt;.&lt;fence&gt;</c> of a bucket. One GET per opened blob, one PUT (or an upload in parts) per stored one.</summary>
internal sealed class S3BlobStore : IBlobStore, IDisposable
{
    private const long SlowestBytesPerSecond = 4L << 20, SmallestPart = 16L << 20, MostParts = 9000;
    private const int PartsAtOnce = 4;
    private const string Root = "blobs/";
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(2.5), PartLimit = TimeSpan.FromMinutes(5), AfterFailure = TimeSpan.FromSeconds(3);

    private readonly S3Bucket _bucket;
    private readonly Networks _redirected;
    private readonly Uploads _uploads;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly long _multipartFrom;
    private long _failedAt;

    public S3BlobStore(StoreSettings settings, Uploads uploads, TimeProvider time)
    {
        (_bucket, _redirected, _uploads, _time) = (new S3Bucket(settings, time), Networks.Parse(settings.RedirectNetworks), uploads, time);
        _multipartFrom = settings.MultipartFrom;
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectCallback = SpliceStream.ConnectForLargePiecesAsync,
            ConnectTimeout = TimeSpan.FromSeconds(2),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            // What a client does not read to its end is not read to its end here.
            MaxResponseDrainSize = 64 * 1024,
        })
        { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <inheritdoc/>
    public async Task StoreAsync(Spool spool, StoredBlob blob, CancellationToken cancellationToken)
    {
        var key = KeyOf(blob.Digest, blob.Fence);
        using var file = File.OpenHandle(spool.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        // One PUT leaves nothing behind when it breaks off, and costs one round trip.
        if (blob.Size < _multipartFrom) await PutAsync(_bucket.PutUrlOf(key), file, 0, blob.Size, cancellationToken);
        else await UploadAsync(key, file, blob, cancellationToken);
        File.Delete(spool.Path);
    }

    /// <inheritdoc/>
    public async ValueTask<IBlobSource?> OpenOrNullAsync(StoredBlob blob, long start, long end, CancellationToken cancellationToken) =>
        await GetOrNullAsync(blob, start, end, cancellationToken) is var (response, stream) ? new S3BlobSource(this, blob, response, stream, start, end) : null;

    /// <inheritdoc/>
    public Uri? ClientUrlOrNull(StoredBlob blob, IPAddress client) => _redirected.Contains(client) ? _bucket.ClientUrlOf(KeyOf(blob.Digest, blob.Fence)) : null;

    /// <inheritdoc/>
    public Task DeleteAsync(Digest digest, long fence, CancellationToken cancellationToken) => _bucket.DeleteAsync(KeyOf(digest, fence), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Who reads elsewhere is not known. An object that is deleted under its reader ends early, and the reader finds the rest elsewhere.</remarks>
    public bool IsBeingRead(Digest digest, long fence) => false;

    /// <inheritdoc/>
    public async IAsyncEnumerable<StoredObject> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (string? next = null; ;)
        {
            (var objects, next) = await _bucket.ListAsync(Root, next, cancellationToken);
            foreach (var item in objects)
            {
                var parts = item.Key.Split('/');
                if (parts.Length == 4 && BlobKeys.TryParse(parts[1], parts[3], out var digest, out var fence))
                    yield return new StoredObject(digest, fence, item.Size ?? 0, item.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch);
            }
            if (next is null) yield break;
        }
    }

    /// <inheritdoc cref="S3Bucket.EnsureAsync"/>
    public Task<string?> EnsureBucketAsync(CancellationToken cancellationToken) => _bucket.EnsureAsync(cancellationToken);

    /// <summary>Whether the store answers.</summary>
    /// <exception cref="IOException">It does not, or refuses.</exception>
    public Task CheckAsync(CancellationToken cancellationToken) => _bucket.CheckAsync(cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Uploads in parts that no running fetch goes on with.</remarks>
    public async Task<int> RemoveHalfStoredAsync(TimeSpan age, CancellationToken cancellationToken)
    {
        var removed = 0;
        IOException? refused = null;
        foreach (var upload in await _uploads.FindAbandonedAsync(age, cancellationToken))
        {
            var key = KeyOf(Digest.Parse(upload.Digest), upload.Fence);
            try
            {
                // Killed before it could write the id down: the server may know it. One that does not list uploads ends it by the bucket's rule.
                foreach (var id in upload.Id is { } known ? [known] : await _bucket.ListUploadsAsync(key, cancellationToken))
                    await _bucket.AbortUploadAsync(key, id, cancellationToken);
                await _uploads.RemoveAsync(upload.Digest, upload.Fence, cancellationToken);
                removed++;
            }
            catch (IOException e) when (e is not StoreUnavailableException)
            {
                // One that it will not end holds up no other.
                refused ??= e;
            }
        }
        return refused is null || removed > 0 ? removed : throw refused;
    }

    public void Dispose()
    {
        _http.Dispose();
        _bucket.Dispose();
    }

    /// <summary>The object's bytes from <paramref name="start"/> to <paramref name="end"/>; null when it is gone or another one's size.</summary>
    /// <exception cref="StoreUnavailableException">There is no answer, or one that says nothing about the object.</exception>
    internal async Task<(HttpResponseMessage Response, Stream Body)?> GetOrNullAsync(StoredBlob blob, long start, long end, CancellationToken cancellationToken)
    {
        // Who has just failed is not asked again by everybody: each would wait for nothing.
        if (Interlocked.Read(ref _failedAt) is not 0 and var failed && _time.GetElapsedTime(failed) < AfterFailure)
            throw new StoreUnavailableException("The object store could not be reached a moment ago");
        using var request = new HttpRequestMessage(HttpMethod.Get, _bucket.UrlOf(KeyOf(blob.Digest, blob.Fence)));
        request.Headers.Range = new RangeHeaderValue(start, end - 1);
        HttpResponseMessage? response = null;
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(AnswerLimit);
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange is { Length: { } length } && length == blob.Size)
            {
                var body = await response.Content.ReadAsStreamAsync(limit.Token);
                Interlocked.Exchange(ref _failedAt, 0);
                var opened = (response, body);
                response = null;
                return opened;
            }
            if (response.StatusCode is HttpStatusCode.PartialContent or HttpStatusCode.RequestedRangeNotSatisfiable || await SaysThatItIsGoneAsync(response, limit.Token)) return null;
            // Of this object alone: the store answers, and others may well be had.
            throw new StoreUnavailableException($"The object store answers {(int)response.StatusCode} to a GET");
        }
        catch (Exception e) when (e is HttpRequestException || (e is IOException and not StoreUnavailableException) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw Failed($"The object store can't be reached: {(e is OperationCanceledException ? $"no answer within {AnswerLimit.TotalSeconds} s" : e.Message)}", e);
        }
        finally
        {
            response?.Dispose();
        }
    }

    /// <summary>Whether the store itself says that it has no such object. A proxy before it may answer 404 too, to everything, for a moment.</summary>
    private static async Task<bool> SaysThatItIsGoneAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.StatusCode != HttpStatusCode.NotFound) return false;
        var beginning = new byte[4096];
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        var length = await body.ReadAtLeastAsync(beginning, beginning.Length, throwOnEndOfStream: false, cancellationToken);
        var text = beginning.AsSpan(0, length);
        return text.IndexOf("NoSuchKey"u8) >= 0 || text.IndexOf("NoSuchBucket"u8) >= 0;
    }

    private static string KeyOf(Digest digest, long fence) => Root + BlobKeys.Of(digest, fence);

    private async Task UploadAsync(string key, SafeFileHandle file, StoredBlob blob, CancellationToken cancellationToken)
    {
        var digest = blob.Digest.ToString();
        string? uploadId = null;
        try
        {
            // Written down before it begins, and its id before its first part: whatever happens to this process, the sweep finds it.
            if (await _uploads.AddAsync(digest, blob.Fence, cancellationToken) is { } earlier) await _bucket.AbortUploadAsync(key, earlier, cancellationToken);
            uploadId = await _bucket.BeginUploadAsync(key, cancellationToken);
            await _uploads.NameAsync(digest, blob.Fence, uploadId, cancellationToken);
            var partBytes = Math.Max(SmallestPart, (blob.Size + MostParts - 1) / MostParts);
            var tags = new string[(blob.Size + partBytes - 1) / partBytes];
            await Parallel.ForAsync(0, tags.Length, new ParallelOptions { MaxDegreeOfParallelism = PartsAtOnce, CancellationToken = cancellationToken }, async (i, token) =>
                tags[i] = await PutAsync(_bucket.PartUrlOf(key, uploadId, i + 1), file, i * partBytes, Math.Min(partBytes, blob.Size - (i * partBytes)), token));
            await _bucket.CompleteUploadAsync(key, uploadId, tags.Select((tag, i) => (i + 1, tag)), blob.Size, cancellationToken);
        }
        catch (Exception e)
        {
            await TryAsync(async token =>
            {
                if (uploadId is null) return; // It may have begun all the same.
                await _bucket.AbortUploadAsync(key, uploadId, token);
                await _uploads.RemoveAsync(digest, blob.Fence, token);
            });
            if (e is DatabaseUnavailableException) throw new StoreUnavailableException($"The upload could not be written down: {e.Message}", e);
            throw;
        }
        await TryAsync(token => _uploads.RemoveAsync(digest, blob.Fence, token));
    }

    /// <summary>Does what the sweep would do else.</summary>
    private static async Task TryAsync(Func<CancellationToken, Task> tidy)
    {
        try
        {
            using var soon = new CancellationTokenSource(AnswerLimit);
            await tidy(soon.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or DatabaseUnavailableException)
        {
            // The sweep does it.
        }
    }

    /// <summary>Sends a stretch of the file; returns its ETag.</summary>
    private async Task<string> PutAsync(Uri url, SafeFileHandle file, long start, long count, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, url) { Content = new FileSliceContent(file, start, count) };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(PartLimit + TimeSpan.FromSeconds(count / SlowestBytesPerSecond));
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            if (response.IsSuccessStatusCode) return response.Headers.ETag?.ToString() ?? "";
            // The bucket has vanished: it is made again, and the next try finds it.
            if (response.StatusCode == HttpStatusCode.NotFound) await _bucket.EnsureAsync(limit.Token);
            var refused = $"The object store answers {(int)response.StatusCode} to a PUT of {count.ToString(CultureInfo.InvariantCulture)} bytes";
            throw (int)response.StatusCode is >= 400 and < 500 and not (404 or 429) ? new IOException(refused) : new StoreUnavailableException(refused);
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new StoreUnavailableException($"The object store can't be reached: {e.Message}", e);
        }
    }

    private StoreUnavailableException Failed(string message, Exception cause)
    {
        Interlocked.Exchange(ref _failedAt, _time.GetTimestamp());
        return new StoreUnavailableException(message, cause);
    }
}
