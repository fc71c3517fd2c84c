using System.Globalization;
using System.Web;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using Entrepot.Cluster;
using Entrepot.Hosting;
using Xunit;

namespace Entrepot.UnitTests.Cluster;

public sealed class S3GetUrlsTests
{
    private const string Key = "blobs/sha256/ab/ab012.7";

    [Fact]
    public void Amazons_own_example_is_signed_alike()
    {
        var urls = New("https://examplebucket.s3.amazonaws.com", "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", TimeSpan.FromDays(1), new DateTimeOffset(2013, 5, 24, 0, 0, 0, TimeSpan.Zero));
        Assert.Equal(
            "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"
            + "&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
            urls.Of("test.txt").AbsoluteUri);
    }

    [Theory]
    [InlineData("http://127.0.0.1:9000", "entrepot")]
    [InlineData("http://minio", "entrepot")]
    [InlineData("https://s3.example.com:443", "a+b/c=")]
    [InlineData("https://[2001:db8::1]:9000", "key.of-mine_1~")]
    public void The_SDK_signs_alike(string endpoint, string accessKey)
    {
        using var sdk = new AmazonS3Client(new BasicAWSCredentials(accessKey, "entrepot-secret"), new AmazonS3Config { ServiceURL = endpoint, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
        var theirs = new Uri(sdk.GetPreSignedURL(new GetPreSignedUrlRequest
        {
            Verb = HttpVerb.GET,
            BucketName = "our-bucket.1",
            Key = Key,
            Expires = TimeProvider.System.GetUtcNow().UtcDateTime.AddMinutes(20),
            Protocol = endpoint.StartsWith("https", StringComparison.Ordinal) ? Protocol.HTTPS : Protocol.HTTP,
        }));
        var query = HttpUtility.ParseQueryString(theirs.Query);
        var ours = New($"{endpoint}/our-bucket.1", accessKey, "entrepot-secret", TimeSpan.FromSeconds(int.Parse(query["X-Amz-Expires"]!, CultureInfo.InvariantCulture)),
            DateTimeOffset.ParseExact(query["X-Amz-Date"]!, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal)).Of(Key);
        Assert.Equal(theirs.GetLeftPart(UriPartial.Path), ours.GetLeftPart(UriPartial.Path));
        Assert.Equal(query["X-Amz-Signature"], HttpUtility.ParseQueryString(ours.Query)["X-Amz-Signature"]);
    }

    [Fact]
    public void The_next_day_is_signed_by_its_own_key()
    {
        var time = new SetTime { Now = new DateTimeOffset(2026, 12, 31, 23, 59, 59, TimeSpan.Zero) };
        var urls = New("http://s3.test/entrepot", time: time);
        var before = urls.Of(Key);
        time.Now += TimeSpan.FromSeconds(2);
        Assert.Equal(New("http://s3.test/entrepot", time: time).Of(Key), urls.Of(Key));
        Assert.NotEqual(before, urls.Of(Key));
    }

    private static S3GetUrls New(string bucket, string accessKey, string secret, TimeSpan lasts, DateTimeOffset now) => New(bucket, accessKey, secret, lasts, new SetTime { Now = now });

    private static S3GetUrls New(string bucket, string accessKey = "a", string secret = "s", TimeSpan? lasts = null, TimeProvider? time = null) =>
        new(new Uri(bucket), new StoreSettings { AccessKey = accessKey, SecretKey = secret }, lasts ?? TimeSpan.FromMinutes(20), time ?? TimeProvider.System);

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
