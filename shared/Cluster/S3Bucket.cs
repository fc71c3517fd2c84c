using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Entrepot.Hosting;
using Entrepot.Storage;

namespace Entrepot.Cluster;

/// <summary>
/// The bucket: control calls by the SDK, URLs for the bytes. An SDK's GET costs three times the processor time of a presigned URL with a pooled client,
/// and buffers. Thread-safe.
/// </summary>
internal sealed class S3Bucket : IDisposable
{
    private const int AbandonedUploadDays = 3;
    private static readonly TimeSpan UrlLasts = TimeSpan.FromHours(1);

    // To make an object of many parts some servers copy them all.
    private readonly AmazonS3Client _client, _patient;
    private readonly S3GetUrls _urls, _clientUrls;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly Protocol _protocol;

    public S3Bucket(StoreSettings settings, TimeProvider time)
    {
        (_name, _time) = (settings.Bucket, time);
        _protocol = settings.Endpoint!.Scheme == Uri.UriSchemeHttps ? Protocol.HTTPS : Protocol.HTTP;
        (_client, _patient) = (ClientOf(TimeSpan.FromSeconds(10)), ClientOf(TimeSpan.FromMinutes(5)));
        AmazonS3Client ClientOf(TimeSpan limit) => new(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), new AmazonS3Config
        {
            ServiceURL = settings.Endpoint.ToString(),
            ForcePathStyle = true,
            AuthenticationRegion = settings.Region,
            // Servers that are not Amazon's refuse the trailers that the default sends.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 1,
            Timeout = limit,
            UseHttp = _protocol == Protocol.HTTP,
        });
        _urls = UrlsAt(settings.Endpoint, UrlLasts);
        _clientUrls = UrlsAt(settings.PublicEndpoint ?? settings.Endpoint, settings.RedirectExpiry);
        S3GetUrls UrlsAt(Uri endpoint, TimeSpan lasts) => new(new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/{_name}"), settings, lasts, time);
    }

    /// <summary>A URL that anybody may GET the object with for an hour.</summary>
    public Uri UrlOf(string key) => _urls.Of(key);

    /// <summary>A URL that a client may GET the object with, where it reaches the server, for the time that is set.</summary>
    public Uri ClientUrlOf(string key) => _clientUrls.Of(key);

    /// <summary>A URL to PUT the object to, in one piece.</summary>
    public Uri PutUrlOf(string key) => Sign(new GetPreSignedUrlRequest { Verb = HttpVerb.PUT, Key = key });

    /// <summary>A URL to PUT one part of an upload to.</summary>
    public Uri PartUrlOf(string key, string uploadId, int part) => Sign(new GetPreSignedUrlRequest { Verb = HttpVerb.PUT, Key = key, UploadId = uploadId, PartNumber = part });

    /// <summary>Makes the bucket if it is missing, and has the server forget uploads that nobody ends.</summary>
    /// <returns>Null, or why the server keeps no such rule: not every one can, and not every key may set it.</returns>
    /// <exception cref="IOException">There is no bucket, and none can be made; or the server can't be reached.</exception>
    public Task<string?> EnsureAsync(CancellationToken cancellationToken) => CallAsync(async () =>
    {
        if (!await ExistsAsync(cancellationToken)) await MakeAsync(cancellationToken);
        try
        {
            // The call replaces all there are, and they are the operator's.
            if (await HasRulesAsync(cancellationToken)) return null;
            await _client.PutLifecycleConfigurationAsync(new PutLifecycleConfigurationRequest
            {
                BucketName = _name,
                Configuration = new LifecycleConfiguration
                {
                    Rules =
                    [
                        new LifecycleRule
                        {
                            Id = "abandoned-uploads",
                            Status = LifecycleRuleStatus.Enabled,
                            Filter = new LifecycleFilter { LifecycleFilterPredicate = new LifecyclePrefixPredicate { Prefix = "" } },
                            AbortIncompleteMultipartUpload = new LifecycleRuleAbortIncompleteMultipartUpload { DaysAfterInitiation = AbandonedUploadDays },
                        },
                    ],
                },
            }, cancellationToken);
            return null;
        }
        catch (AmazonS3Exception e) when (IsRefusal(e) || e.StatusCode == HttpStatusCode.NotImplemented)
        {
            return Told(e);
        }
    });

    private async Task<bool> HasRulesAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await _client.GetLifecycleConfigurationAsync(_name, cancellationToken)).Configuration?.Rules is { Count: > 0 };
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    /// <summary>One cheap call, to see whether the store answers.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        CallAsync(() => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _name, MaxKeys = 1 }, cancellationToken));

    /// <summary>Begins an upload in parts. A bucket that has vanished is made again, and the next try finds it.</summary>
    public Task<string> BeginUploadAsync(string key, CancellationToken cancellationToken) => CallAsync(async () =>
    {
        try
        {
            return (await _client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = _name, Key = key }, cancellationToken)).UploadId;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            await EnsureAsync(cancellationToken);
            throw new StoreUnavailableException("The object store had lost the bucket", e);
        }
    });

    /// <summary>Makes an object of the parts, which are <paramref name="size"/> bytes together.</summary>
    public Task CompleteUploadAsync(string key, string uploadId, IEnumerable<(int Number, string ETag)> parts, long size, CancellationToken cancellationToken) => CallAsync(async () =>
    {
        try
        {
            await _patient.CompleteMultipartUploadAsync(
                new CompleteMultipartUploadRequest { BucketName = _name, Key = key, UploadId = uploadId, PartETags = [.. parts.Select(p => new PartETag(p.Number, p.ETag))] }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // The SDK may have asked twice, and the first answer have been lost: then the upload is no more because the object is there.
            if ((await _client.GetObjectMetadataAsync(new GetObjectMetadataRequest { BucketName = _name, Key = key }, cancellationToken)).ContentLength != size) throw;
        }
        return 0;
    });

    /// <summary>Gives an upload up; nothing happens when there is none.</summary>
    public Task AbortUploadAsync(string key, string uploadId, CancellationToken cancellationToken) => CallAsync(async () =>
    {
        try
        {
            await _client.AbortMultipartUploadAsync(new AbortMultipartUploadRequest { BucketName = _name, Key = key, UploadId = uploadId }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // Ended already.
        }
        return 0;
    });

    /// <summary>The uploads of an object that the server lists, which not every server does; none where it refuses to.</summary>
    public Task<IReadOnlyList<string>> ListUploadsAsync(string key, CancellationToken cancellationToken) => CallAsync<IReadOnlyList<string>>(async () =>
    {
        try
        {
            var page = await _client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = _name, Prefix = key }, cancellationToken);
            return [.. (page.MultipartUploads ?? []).Where(u => u.Key == key).Select(u => u.UploadId)];
        }
        catch (AmazonS3Exception e) when (e.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
        {
            return [];
        }
    });

    /// <summary>Removes an object; nothing happens when there is none.</summary>
    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        CallAsync(() => _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _name, Key = key }, cancellationToken));

    /// <summary>The objects whose key begins so, a page at a time.</summary>
    public async Task<(IReadOnlyList<S3Object> Objects, string? Next)> ListAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        var page = await CallAsync(() => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _name, Prefix = prefix, ContinuationToken = after }, cancellationToken));
        return (page.S3Objects ?? [], page.IsTruncated == true ? page.NextContinuationToken : null);
    }

    public void Dispose()
    {
        _client.Dispose();
        _patient.Dispose();
    }

    private Uri Sign(GetPreSignedUrlRequest request)
    {
        (request.BucketName, request.Expires, request.Protocol) = (_name, _time.GetUtcNow().UtcDateTime + UrlLasts, _protocol);
        return new Uri(_client.GetPreSignedURL(request));
    }

    /// <summary>By the one call that every key may make which can be used here; one that may make buckets is rare.</summary>
    private async Task<bool> ExistsAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _name, MaxKeys = 1 }, cancellationToken);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private async Task MakeAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.PutBucketAsync(new PutBucketRequest { BucketName = _name }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // Another process has just made it.
        }
    }

    private static bool IsRefusal(AmazonS3Exception e) => (int)e.StatusCode is >= 400 and < 500 and not 429;

    private static string Told(AmazonS3Exception e) => $"{e.Message} ({e.ErrorCode}, {(int)e.StatusCode})";

    private static async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonS3Exception e) when (IsRefusal(e))
        {
            throw new IOException($"The object store refuses: {Told(e)}", e);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or TimeoutException)
        {
            throw new StoreUnavailableException($"The object store can't be reached: {e.Message}", e);
        }
    }
}
