using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Entrepot.TestSupport.Product;

/// <summary>A bucket of the S3 server that <c>infra/local/cluster.sh</c> starts, as somebody sees and changes it who has the key.</summary>
internal sealed class TestBucket(Uri endpoint, string name) : IDisposable
{
    public const string AccessKey = "entrepot", SecretKey = "entrepot-secret";

    private readonly AmazonS3Client _client = new(new BasicAWSCredentials(AccessKey, SecretKey), new AmazonS3Config
    {
        ServiceURL = endpoint.ToString(),
        ForcePathStyle = true,
        AuthenticationRegion = "us-east-1",
        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
    });

    public Uri Endpoint => endpoint;

    public string Name => name;

    /// <summary>All objects; none where there is no bucket.</summary>
    public async Task<IReadOnlyList<(string Key, long Size)>> ListAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            var objects = await _client.ListObjectsV2Async(new() { BucketName = name }, cancellationToken);
            return objects.IsTruncated == true
                ? throw new InvalidOperationException("The bucket holds more than a page of objects.")
                : [.. (objects.S3Objects ?? []).Select(o => (o.Key, o.Size ?? 0))];
        }
        catch (NoSuchBucketException)
        {
            return [];
        }
    }

    /// <summary>How many uploads in parts are under way.</summary>
    public async Task<int> CountUploadsAsync(CancellationToken cancellationToken = default) =>
        (await _client.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = name }, cancellationToken)).MultipartUploads?.Count ?? 0;

    public Task DeleteAsync(string key, CancellationToken cancellationToken = default) => _client.DeleteObjectAsync(name, key, cancellationToken);

    public Task PutAsync(string key, string text, CancellationToken cancellationToken = default) =>
        _client.PutObjectAsync(new PutObjectRequest { BucketName = name, Key = key, ContentBody = text }, cancellationToken);

    /// <summary>Where anybody may GET an object, for an hour.</summary>
    public async Task<Uri> PresignAsync(string key) => new(await _client.GetPreSignedURLAsync(new GetPreSignedUrlRequest
    {
        BucketName = name,
        Key = key,
        Verb = HttpVerb.GET,
        Protocol = Protocol.HTTP,
        Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddHours(1),
    }));

    /// <summary>Deletes every object, and the bucket itself if asked to.</summary>
    public async Task EmptyAsync(bool andBucket, CancellationToken cancellationToken = default)
    {
        foreach (var (key, _) in await ListAsync(cancellationToken)) await DeleteAsync(key, cancellationToken);
        if (!andBucket) return;
        try
        {
            await _client.DeleteBucketAsync(name, cancellationToken);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            // Whoever was to make it never came to it.
        }
    }

    public void Dispose() => _client.Dispose();
}
