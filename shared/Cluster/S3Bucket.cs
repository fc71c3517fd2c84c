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

    private readonly AmazonS3Client _client;
    private readonly S3GetUrls _urls, _clientUrls;
    private readonly string _name;
    private readonly TimeProvider _time;
    private readonly Protocol _protocol;

    public S3Bucket(StoreSettings settings, TimeProvider time)
    {
        (_name, _time) = (settings.Bucket, time);
        _protocol = settings.Endpoint!.Scheme == Uri.UriSchemeHttps ? Protocol.HTTPS : Protocol.HTTP;
        _client = new AmazonS3Client(new BasicAWSCredentials(settings.AccessKey, settings.SecretKey), new AmazonS3Config
        {
            ServiceURL = settings.Endpoint.ToString(),
            ForcePathStyle = true,
            AuthenticationRegion = settings.Region,
            // Servers that are not Amazon's refuse the trailers that the default sends.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 1,
            Timeout = TimeSpan.FromSeconds(10),
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
    public Task EnsureAsync(CancellationToken cancellationToken) => CallAsync(async () =>
    {
        try
        {
            await _client.PutBucketAsync(new PutBucketRequest { BucketName = _name }, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // It is there: ours (BucketAlreadyOwnedByYou), or somebody else's, which the next call tells.
        }
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
        return 0;
    });

    /// <summary>One cheap call, to see whether the store answers.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) =>
        CallAsync(() => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _name, MaxKeys = 1 }, cancellationToken));

    /// <summary>Begins an upload in parts.</summary>
    public async Task<string> BeginUploadAsync(string key, CancellationToken cancellationToken) =>
        (await CallAsync(() => _client.InitiateMultipartUploadAsync(new InitiateMultipartUploadRequest { BucketName = _name, Key = key }, cancellationToken))).UploadId;

    /// <summary>Makes an object of the parts.</summary>
    public Task CompleteUploadAsync(string key, string uploadId, IEnumerable<(int Number, string ETag)> parts, CancellationToken cancellationToken) =>
        CallAsync(() => _client.CompleteMultipartUploadAsync(
            new CompleteMultipartUploadRequest { BucketName = _name, Key = key, UploadId = uploadId, PartETags = [.. parts.Select(p => new PartETag(p.Number, p.ETag))] }, cancellationToken));

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

    /// <summary>The uploads of an object that the server lists, which not every server does.</summary>
    public async Task<IReadOnlyList<string>> ListUploadsAsync(string key, CancellationToken cancellationToken)
    {
        var page = await CallAsync(() => _client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = _name, Prefix = key }, cancellationToken));
        return [.. (page.MultipartUploads ?? []).Where(u => u.Key == key).Select(u => u.UploadId)];
    }

    /// <summary>Removes an object; nothing happens when there is none.</summary>
    public Task DeleteAsync(string key, CancellationToken cancellationToken) =>
        CallAsync(() => _client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = _name, Key = key }, cancellationToken));

    /// <summary>The objects whose key begins so, a page at a time.</summary>
    public async Task<(IReadOnlyList<S3Object> Objects, string? Next)> ListAsync(string prefix, string? after, CancellationToken cancellationToken)
    {
        var page = await CallAsync(() => _client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _name, Prefix = prefix, ContinuationToken = after }, cancellationToken));
        return (page.S3Objects ?? [], page.IsTruncated == true ? page.NextContinuationToken : null);
    }

    public void Dispose() => _client.Dispose();

    private Uri Sign(GetPreSignedUrlRequest request)
    {
        (request.BucketName, request.Expires, request.Protocol) = (_name, _time.GetUtcNow().UtcDateTime + UrlLasts, _protocol);
        return new Uri(_client.GetPreSignedURL(request));
    }

    private static async Task<T> CallAsync<T>(Func<Task<T>> call)
    {
        try
        {
            return await call();
        }
        catch (AmazonS3Exception e) when ((int)e.StatusCode is >= 400 and < 500 and not 429)
        {
            throw new IOException($"The object store refuses: {e.Message} ({e.ErrorCode}, {(int)e.StatusCode})", e);
        }
        catch (Exception e) when (e is AmazonServiceException or AmazonClientException or HttpRequestException or TimeoutException)
        {
            throw new StoreUnavailableException($"The object store can't be reached: {e.Message}", e);
        }
    }
}
