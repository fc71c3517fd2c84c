using System.Text;

namespace Entrepot.Upstreams;

/// <summary>What all requests have in common.</summary>
internal static class Requests
{
    private static readonly string UserAgent = $"Entrepot/{typeof(Requests).Assembly.GetName().Version?.ToString(3)}";

    public static HttpRequestMessage Create(UpstreamCall call, Uri uri, string? authorization)
    {
        var request = new HttpRequestMessage(call.Method, uri);
        AddCommonHeaders(request);
        if (call.Accept is not null)
            request.Headers.TryAddWithoutValidation("Accept", call.Accept);
        request.Headers.Range = call.Range;
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return request;
    }

    public static void AddCommonHeaders(HttpRequestMessage request)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        // Without it a server may compress, and then neither digest nor length would be those of the content.
        request.Headers.TryAddWithoutValidation("Accept-Encoding", "identity");
    }

    /// <summary>Source: RFC 7617, with its UTF-8 form.</summary>
    public static string BasicAuthorization(UpstreamOptions options) =>
        "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes($"{options.Username}:{options.Password}"));
}
