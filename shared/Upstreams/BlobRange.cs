using System.Net;
using System.Net.Http.Headers;

namespace Entrepot.Upstreams;

/// <summary>Which part of a blob a response carries.</summary>
/// <param name="Start">Its first byte.</param>
/// <param name="EndInclusive">Its last byte; one less than the start when it is empty; null when not said.</param>
/// <param name="TotalSize">The size of the blob; null when not said.</param>
/// <param name="IsWhole">Whether it is the whole blob (status 200), asked for or not.</param>
internal readonly record struct BlobRange(long Start, long? EndInclusive, long? TotalSize, bool IsWhole)
{
    /// <summary>
    /// Null when a 200 or 206 says consistently what it carries and that is what was asked for. A 206 may end before the range asked for, but
    /// must begin where it does. Source: RFC 9110 §14.4, §15.3.7.
    /// </summary>
    public static string? FindFault(HttpResponseMessage response, RangeItemHeaderValue? asked, out BlobRange range)
    {
        var length = response.Content.Headers.ContentLength;
        range = new BlobRange(0, length - 1, length, IsWhole: true);
        if (response.StatusCode == HttpStatusCode.OK)
            return null;
        if (asked is null)
            return "sent a part although the whole was asked for";

        if (response.Content.Headers.ContentRange is not { HasRange: true, From: { } from, To: { } to } content
            || !string.Equals(content.Unit, "bytes", StringComparison.OrdinalIgnoreCase))
            return "sent a part without saying which";
        if (from != asked.From || to > (asked.To ?? long.MaxValue) || to >= (content.Length ?? long.MaxValue) || (length is { } said && said != to - from + 1))
            return $"sent Content-Range {content} and Content-Length {length?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "none"} when asked for {asked}";

        range = new BlobRange(from, to, content.Length, IsWhole: false);
        return null;
    }
}
