namespace Entrepot.Upstreams;

/// <summary>Where an upstream may send us for its content.</summary>
internal static class RedirectRules
{
    private const int MaxRedirects = 5;

    /// <summary>Null when the redirect may be followed; otherwise what is wrong with it, without its path and query, which may be signed.</summary>
    /// <param name="upstream">Whose chain of redirects it is; only one that is plain http itself may lead to plain http.</param>
    /// <param name="from">What answered.</param>
    /// <param name="location">Its Location header, absolute or relative.</param>
    /// <param name="count">How many redirects it makes.</param>
    /// <param name="next">Where to go.</param>
    public static string? FindFault(Upstream upstream, Uri from, Uri location, int count, out Uri next)
    {
        if (!Uri.TryCreate(from, location, out next!))
            return "a redirect to no valid address";
        if (count > MaxRedirects)
            return $"more than {MaxRedirects} redirects";
        if (next.Scheme is not ("http" or "https") || next.Host.Length == 0)
            return "a redirect to something that is not http or https";
        if (next.UserInfo.Length > 0)
            return $"a redirect to {next.Authority} with credentials in it";
        if (next.Scheme == "http" && upstream.Url.Scheme == "https")
            return $"a redirect from https to plain http at {next.Authority}";
        return null;
    }
}
