using System.Net;

namespace Entrepot.Upstreams;

/// <summary>
/// Which token services an upstream may send us to. A hostile or broken upstream names any realm it likes, and the credential would go
/// there: so the realm must be of the upstream's own domain, or be allowed by hand. Source: distribution f215e513, oras-dotnet's realm validation.
/// </summary>
internal static class RealmRules
{
    /// <summary>Suffixes under which names are sold as third-level domains. The common ones; a missing one makes the rule laxer, never for IPs.</summary>
    private static readonly HashSet<string> CountrySuffixes = new(StringComparer.OrdinalIgnoreCase)
    {
        "co.uk", "org.uk", "ac.uk", "gov.uk", "net.uk", "me.uk", "ltd.uk", "plc.uk", "com.au", "net.au", "org.au", "edu.au", "gov.au",
        "co.nz", "org.nz", "net.nz", "govt.nz", "co.jp", "or.jp", "ne.jp", "ac.jp", "go.jp", "co.kr", "or.kr", "go.kr", "ac.kr",
        "com.cn", "net.cn", "org.cn", "gov.cn", "edu.cn", "com.hk", "org.hk", "com.tw", "org.tw", "com.sg", "edu.sg", "gov.sg",
        "co.in", "net.in", "org.in", "gov.in", "ac.in", "com.br", "net.br", "org.br", "gov.br", "com.mx", "org.mx", "com.ar", "com.co",
        "com.pe", "com.ve", "co.za", "org.za", "gov.za", "com.tr", "org.tr", "gov.tr", "com.ua", "com.pl", "net.pl", "org.pl",
        "com.ru", "co.il", "org.il", "ac.il", "com.my", "com.ph", "com.vn", "co.id", "or.id", "co.th", "in.th", "com.sa", "com.eg",
        "com.ng", "co.ke", "com.pk", "com.bd", "com.gr", "com.pt", "com.es", "co.at", "or.at", "com.cy", "com.mt", "com.ro",
    };

    /// <summary>Domains whose subdomains belong to strangers of each other: only the very same host is the upstream's own.</summary>
    private static readonly string[] SharedHosting =
    [
        "amazonaws.com", "amazonaws.com.cn", "cloudfront.net", "azurecr.io", "azurewebsites.net", "azureedge.net", "windows.net", "cloudapp.net",
        "azure.com", "pkg.dev", "run.app", "appspot.com", "web.app", "firebaseapp.com", "googleusercontent.com", "github.io", "githubusercontent.com",
        "gitlab.io", "herokuapp.com", "vercel.app", "netlify.app", "workers.dev", "pages.dev", "r2.dev", "cloudflarestorage.com", "fly.dev",
        "onrender.com", "railway.app", "jfrog.io", "cloudsmith.io", "digitaloceanspaces.com", "ondigitalocean.app", "backblazeb2.com",
        "scw.cloud", "ovh.net", "aliyuncs.com", "myqcloud.com", "tencentcloudcr.com", "myhuaweicloud.com", "ngrok.io", "ngrok.app",
        "ngrok-free.app", "duckdns.org", "no-ip.org", "ddns.net", "dyndns.org", "nip.io", "sslip.io", "xip.io",
    ];

    /// <summary>Null when the realm may be asked, and be sent the credential; otherwise what is wrong with it and how to allow it.</summary>
    public static string? FindFault(Upstream upstream, string realm)
    {
        if (!Uri.TryCreate(realm, UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.Host.Length == 0)
            return "names a token realm that is not an absolute http or https address";
        if (uri.UserInfo.Length > 0)
            return $"names a token realm at {uri.Authority} with credentials in it";

        var name = $"{uri.Scheme}://{uri.Authority}";
        if (uri.Scheme == "http" && upstream.Url.Scheme != "http")
            return $"names the token realm {name}, which is plain http";
        if (IsOwn(upstream.Url, uri) || IsAllowed(upstream, uri))
            return null;
        return $"names the token realm {name}, which is not of its own domain and got no credential; if it is right, add '{uri.Authority}' to Upstreams:{upstream.Name}:TokenHosts";
    }

    private static bool IsOwn(Uri upstream, Uri realm)
    {
        var (host, other) = (Plain(upstream), Plain(realm));
        return host.Equals(other, StringComparison.OrdinalIgnoreCase)
            || (RegistrableDomain(host) is { } domain && domain.Equals(RegistrableDomain(other), StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsAllowed(Upstream upstream, Uri realm)
    {
        if (upstream.Name.Equals(UpstreamsDefaults.DockerHub, StringComparison.OrdinalIgnoreCase)
            && realm is { Scheme: "https", IsDefaultPort: true } && Plain(realm).Equals("auth.docker.io", StringComparison.OrdinalIgnoreCase))
            return true;

        // An entry without a port allows the host on every port.
        return upstream.Options.TokenHosts.Any(allowed =>
            allowed.Equals(realm.Authority, StringComparison.OrdinalIgnoreCase)
            || allowed.Equals(realm.Host, StringComparison.OrdinalIgnoreCase)
            || allowed.Equals($"{realm.Host}:{realm.Port}", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>The domain somebody registered: the last two labels, or three below a country suffix. Null when only the same host is one's own.</summary>
    private static string? RegistrableDomain(string host)
    {
        if (IPAddress.TryParse(host, out _) || SharedHosting.Any(suffix => host.Equals(suffix, StringComparison.OrdinalIgnoreCase)
                || host.EndsWith("." + suffix, StringComparison.OrdinalIgnoreCase)))
            return null;

        var labels = host.Split('.');
        if (labels.Length < 2)
            return null;

        var two = string.Join('.', labels[^2..]);
        if (!CountrySuffixes.Contains(two))
            return two;
        return labels.Length < 3 ? null : string.Join('.', labels[^3..]);
    }

    private static string Plain(Uri uri) => uri.IdnHost.TrimEnd('.');
}
