using System.Net;
using System.Net.Sockets;

namespace Entrepot.Hosting;

/// <summary>A set of addresses as settings list it: networks such as <c>10.0.0.0/8</c> and <c>2001:db8::/32</c>, and single addresses. Immutable.</summary>
public sealed class Networks
{
    private readonly IPNetwork[] _networks;

    private Networks(IPNetwork[] networks) => _networks = networks;

    /// <summary>The set that the texts list.</summary>
    /// <exception cref="FormatException">One of them is no network, which <see cref="Check"/> would have told.</exception>
    public static Networks Parse(IEnumerable<string> texts) =>
        new([.. texts.Select(text => TryParse(text, out var network, out var problem, out _) ? network : throw new FormatException($"{text} {problem}"))]);

    /// <summary>What is wrong with a list of networks that stands at a key.</summary>
    public static IEnumerable<ConfigError> Check(string key, IEnumerable<string> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        foreach (var text in texts)
        {
            if (!TryParse(text, out _, out var problem, out var fix))
                yield return new ConfigError(key, text, problem, fix);
        }
    }

    /// <summary>Whether one of the networks has the address. An IPv4 address that came over an IPv6 socket is an IPv4 address.</summary>
    public bool Contains(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (_networks.Length == 0)
            return false;
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return Array.Exists(_networks, network => network.Contains(plain));
    }

    private static bool TryParse(string text, out IPNetwork network, out string problem, out string fix)
    {
        (network, problem, fix) = (default, "is no network", "write 10.0.0.0/8, 2001:db8::/32 or a single address");
        var slash = text.IndexOf('/');
        var first = (slash < 0 ? text : text[..slash]).Trim();
        // .NET reads 10.1 as 10.0.0.1, and takes brackets, ports and scopes, which are all mistakes here.
        if (first.AsSpan().IndexOfAny("[]%") >= 0 || !IPAddress.TryParse(first, out var address) || address.IsIPv4MappedToIPv6
            || (address.AddressFamily == AddressFamily.InterNetwork && address.ToString() != first))
            return false;

        var bytes = address.GetAddressBytes();
        var bits = bytes.Length * 8;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits > bytes.Length * 8))
        {
            (problem, fix) = ("has no prefix length behind its slash", $"write 0 to {bytes.Length * 8} there");
            return false;
        }

        for (var bit = bits; bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        var start = new IPAddress(bytes);
        if (!start.Equals(address))
        {
            (problem, fix) = ("is an address inside a network", $"write {start}/{bits} for the network, or {address} for the address alone");
            return false;
        }

        network = new IPNetwork(start, bits);
        return true;
    }
}
