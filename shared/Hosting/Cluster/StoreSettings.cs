using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Entrepot.Hosting;

/// <summary>The cluster's object store: MinIO, or any other server that speaks S3.</summary>
public sealed class StoreSettings : IValidatableSection
{
    /// <summary>The server's address.</summary>
    [Description("Where the S3 server is, such as http://minio:9000")]
    public Uri? Endpoint { get; set; }

    /// <summary>The bucket.</summary>
    [Description("The bucket; made when missing")]
    public string Bucket { get; set; } = "entrepot";

    /// <summary>The signing region.</summary>
    [Description("The region that requests are signed for")]
    public string Region { get; set; } = "us-east-1";

    /// <summary>The access key.</summary>
    [Description("The access key's id")]
    public string? AccessKey { get; set; }

    /// <summary>The secret key.</summary>
    [Description("The access key's secret")]
    [Secret]
    public string? SecretKey { get; set; }

    /// <summary>From this size on a blob is stored in parts, in bytes. 16 MiB to 5 GiB.</summary>
    [Description("From this size on a blob is stored in parts, several at once; below it in one PUT, which leaves nothing behind when it breaks off. 16 MiB to 5 GiB, the most that S3 takes in one PUT.")]
    [ByteSize]
    [Range(16L << 20, 5L << 30)]
    public long MultipartFrom { get; set; } = 1L << 30;

    /// <summary>The networks of clients that read large stored blobs from the S3 server themselves.</summary>
    [Description("The networks whose clients get a large blob that is stored by a redirect (307) to the S3 server, such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7. None by default.")]
    public string[] RedirectNetworks { get; set; } = [];

    /// <summary>Where those clients reach the S3 server; by default where we do.</summary>
    [Description("Where the clients of RedirectNetworks reach the S3 server, such as https://s3.example.com. Endpoint by default.")]
    public Uri? PublicEndpoint { get; set; }

    /// <summary>How long the URL of a redirect can be used. 30 s to 1 day.</summary>
    [Description("How long a client may begin to read by the URL of a redirect")]
    [Range(typeof(TimeSpan), "00:00:30", "1.00:00:00")]
    public TimeSpan RedirectExpiry { get; set; } = TimeSpan.FromMinutes(20);

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        if (Endpoint is null) yield return new ConfigError($"{path}:Endpoint", null, "is missing", "write http://HOST:9000");
        if (string.IsNullOrWhiteSpace(AccessKey)) yield return new ConfigError($"{path}:AccessKey", null, "is missing", "write the access key's id");
        if (string.IsNullOrWhiteSpace(SecretKey)) yield return new ConfigError($"{path}:SecretKey", null, "is missing", "give the secret as SecretKey or SecretKeyFile");
        if (Bucket.Trim().Length is < 3 or > 63) yield return new ConfigError($"{path}:Bucket", Bucket, "is no bucket name", "write 3 to 63 lower-case letters, digits, dots and hyphens");
        // Signed are the host and the path: a proxy there may change neither.
        if (PublicEndpoint is { } url && (url.AbsolutePath != "/" || url.Query.Length > 0 || url.Fragment.Length > 0 || url.UserInfo.Length > 0))
            yield return new ConfigError($"{path}:PublicEndpoint", url.GetLeftPart(UriPartial.Path), "is more than a host", $"write {url.Scheme}://{url.Authority}");
        foreach (var error in Networks.Check($"{path}:RedirectNetworks", RedirectNetworks)) yield return error;
    }
}
