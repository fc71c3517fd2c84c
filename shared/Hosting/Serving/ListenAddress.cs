using System.Net;

namespace Entrepot.Hosting;

/// <summary>One address to listen on, such as <c>http://0.0.0.0:5000</c>, <c>https://[::]:5443</c>, <c>http://localhost:5000</c> or <c>http://*:80</c>.</summary>
public sealed record ListenAddress
{
    private ListenAddress(bool isHttps, string host, int port, IPAddress? address) => (IsHttps, Host, Port, Address) = (isHttps, host, port, address);

    /// <summary>Whether TLS is spoken here.</summary>
    public bool IsHttps { get; }

    /// <summary>The host as written.</summary>
    public string Host { get; }

    /// <summary>The port; 0 takes a free one.</summary>
    public int Port { get; }

    /// <summary>The IP address; null for <c>localhost</c> (both loopback addresses) and for <c>*</c> (all addresses).</summary>
    public IPAddress? Address { get; }

    /// <summary>Whether only this machine can reach it.</summary>
    public bool IsLoopback => Host == "localhost" || (Address is not null && IPAddress.IsLoopback(Address));

    /// <inheritdoc/>
    public override string ToString() => $"{(IsHttps ? "https" : "http")}://{Host}:{Port}";

    internal static IEnumerable<string> Split(string urls) => urls.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    internal static ListenAddress Parse(string url) =>
        TryParse(url, out var address, out var problem, out _) ? address : throw new FormatException($"{url} {problem}");

    internal static bool TryParse(string url, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out ListenAddress? address, out string problem, out string fix)
    {
        (address, problem, fix) = (null, "is not an address to listen on", "write http://0.0.0.0:5000 or https://[::]:5443");
        var https = url.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
        if (!https && !url.StartsWith("http://", StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = url[(https ? 8 : 7)..].TrimEnd('/');
        var colon = rest.LastIndexOf(':');
        if (colon <= rest.LastIndexOf(']'))
            colon = -1;
        var host = (colon < 0 ? rest : rest[..colon]).ToLowerInvariant();
        var port = https ? 443 : 80;
        if (rest.Contains('/', StringComparison.Ordinal) || (colon >= 0 && (!int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port > 65535)))
            return false;
        if (host == "localhost" && port == 0)
        {
            (problem, fix) = ("cannot take a free port on two addresses at once", "write 127.0.0.1:0");
            return false;
        }

        IPAddress? ip = null;
        if (host is not ("localhost" or "*" or "+") && !(IPAddress.TryParse(host, out ip) && (host[0] == '[') == (ip.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)))
        {
            (problem, fix) = ("has a host that is not an address of this machine", "write 0.0.0.0, [::], localhost, * or an IP address");
            return false;
        }

        address = new ListenAddress(https, host, port, ip);
        return true;
    }
}
