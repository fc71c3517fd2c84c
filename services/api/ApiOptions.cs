using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Entrepot.Hosting;

namespace Entrepot.Api;

/// <summary>How long the api lets a client wait, and how much it remembers.</summary>
public sealed class ApiOptions : IValidatableSection
{
    /// <summary>The longest wait for response headers; then 503 with Retry-After, while the fetch goes on.</summary>
    [Description("The longest wait for response headers; then 503 with Retry-After, while the fetch goes on")]
    [Range(typeof(TimeSpan), "00:00:01", "00:00:25")]
    public TimeSpan HeaderTimeout { get; set; } = TimeSpan.FromSeconds(9);

    /// <summary>How long a tag that is held waits for its upstream before it is served stale.</summary>
    [Description("How long a tag that is held waits for its upstream before it is served stale")]
    [Range(typeof(TimeSpan), "00:00:00.100", "00:00:09")]
    public TimeSpan StaleAfter { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a check of a tag that failed counts as a check.</summary>
    [Description("How long a failed check of a held tag counts as a check")]
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan FailedCheckLasts { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a body may go without a byte, and its fetch too, before the response ends short.</summary>
    [Description("How long a response body may stand still, and the download that it waits for, before it ends short")]
    [Range(typeof(TimeSpan), "00:00:05", "01:00:00")]
    public TimeSpan BodyStallTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How much memory the index of tags, manifests and small blobs may take, in bytes.</summary>
    [Description("How much memory the index of tags, manifests and small blobs may take")]
    [ByteSize]
    [Range(1L << 20, 1L << 36)]
    public long IndexBytes { get; set; } = 64L << 20;

    /// <summary>How long an entry of the index counts before it is read again, off the request's path.</summary>
    [Description("How long an index entry counts before it is read again, off the request's path")]
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan IndexEntryLasts { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The networks of the proxies in front whose word for the client's address counts.</summary>
    [Description("The networks of the proxies in front, such as 172.18.0.0/16: theirs alone is an X-Forwarded-For that counts. Store:RedirectNetworks needs it behind a proxy, nothing else does. None by default.")]
    public string[] TrustedProxies { get; set; } = [];

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path) => Networks.Check($"{path}:TrustedProxies", TrustedProxies);
}
