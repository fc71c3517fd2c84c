using System.ComponentModel;

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

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        if (Endpoint is null) yield return new ConfigError($"{path}:Endpoint", null, "is missing", "write http://HOST:9000");
        if (string.IsNullOrWhiteSpace(AccessKey)) yield return new ConfigError($"{path}:AccessKey", null, "is missing", "write the access key's id");
        if (string.IsNullOrWhiteSpace(SecretKey)) yield return new ConfigError($"{path}:SecretKey", null, "is missing", "give the secret as SecretKey or SecretKeyFile");
        if (Bucket.Trim().Length is < 3 or > 63) yield return new ConfigError($"{path}:Bucket", Bucket, "is no bucket name", "write 3 to 63 lower-case letters, digits, dots and hyphens");
    }
}
