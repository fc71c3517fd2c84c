using System.Net;
using System.Text.Json;
using Entrepot.Contracts;
using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>What responses mean.</summary>
internal static class Replies
{
    private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromDays(1);
    private static readonly string[] CodesOfAbsence = ["NAME_INVALID", "NAME_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN", "TAG_INVALID"];

    /// <summary>
    /// The failure that a status stands for. 404 and 410 are NotFound, and so is a 400 whose error code says that no such name can exist
    /// there: it is the registry's own word, not an outage. Every other unexpected status is Unavailable.
    /// </summary>
    public static UpstreamFailure ToFailure(Upstream upstream, string subject, HttpResponseMessage response, string? errorCode, TimeProvider time)
    {
        var status = (int)response.StatusCode;
        var outcome = status switch
        {
            404 or 410 => FetchOutcome.NotFound,
            400 when CodesOfAbsence.Contains(errorCode) => FetchOutcome.NotFound,
            401 or 403 => FetchOutcome.Denied,
            429 => FetchOutcome.RateLimited,
            _ => FetchOutcome.Unavailable,
        };
        var code = errorCode is null ? "" : $" ({errorCode})";
        return new UpstreamFailure(outcome, $"Upstream {upstream.Name} answered {status}{code} for {subject}.", RetryAfter(response, time), status);
    }

    /// <summary>Whether asking again in a moment is likely to help. 501 is a decision, not a mishap.</summary>
    public static bool IsTransient(HttpStatusCode status) => status is HttpStatusCode.InternalServerError
        or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>The wait a response asks for, if any; never negative, at most a day.</summary>
    public static TimeSpan? RetryAfter(HttpResponseMessage response, TimeProvider time)
    {
        if (response.Headers.RetryAfter is not { } header || (header.Delta ?? (header.Date - time.GetUtcNow())) is not { } wait)
            return null;
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait > MaxRetryAfter ? MaxRetryAfter : wait;
    }

    /// <summary>What in the headers of a good response shows that its body cannot be the content asked for; null when nothing does.</summary>
    public static string? FindFault(HttpResponseMessage response, Digest? wanted)
    {
        if (IsHtml(response))
            return "sent an HTML page";

        var encoding = response.Content.Headers.ContentEncoding.FirstOrDefault(name => !name.Equals("identity", StringComparison.OrdinalIgnoreCase));
        if (encoding is not null)
            return "sent a body with a Content-Encoding, although none was accepted,";

        // A digest of another algorithm may well be of the same content.
        if (wanted is { } digest && HeaderDigest(response) is { } named && named.Algorithm == digest.Algorithm && named != digest)
            return $"named {named} in Docker-Content-Digest";
        return null;
    }

    /// <summary>Whether it is a web page: that of a login, a proxy's error or a registry's user interface.</summary>
    public static bool IsHtml(HttpResponseMessage response) =>
        MediaType(response) is { } type
        && (type.Equals("text/html", StringComparison.OrdinalIgnoreCase) || type.Equals("application/xhtml+xml", StringComparison.OrdinalIgnoreCase));

    public static string? MediaType(HttpResponseMessage response) => response.Content.Headers.ContentType?.MediaType;

    public static Digest? HeaderDigest(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var values) && Digest.TryParse(values.First().Trim(), out var digest) ? digest : null;

    /// <summary>The code of the first error in a registry's error body; null when it is not one. Only the code: texts from outside stay outside.</summary>
    public static string? ErrorCode(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("errors", out var errors) || errors.ValueKind != JsonValueKind.Array || errors.GetArrayLength() == 0
                || errors[0].ValueKind != JsonValueKind.Object || !errors[0].TryGetProperty("code", out var code) || code.ValueKind != JsonValueKind.String)
                return null;

            var text = code.GetString()!;
            return text.Length is > 0 and <= 64 && text.All(c => char.IsAsciiLetterUpper(c) || c == '_') ? text : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>The outcome as a metric label.</summary>
    public static string Label(FetchOutcome outcome) => outcome switch
    {
        FetchOutcome.Stored => "ok",
        FetchOutcome.NotFound => "not_found",
        FetchOutcome.Denied => "denied",
        FetchOutcome.RateLimited => "rate_limited",
        FetchOutcome.Corrupt => "corrupt",
        FetchOutcome.TooLarge => "too_large",
        _ => "unavailable",
    };
}
