using System.Globalization;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.IntegrationTests;

/// <summary>The faults that theories name.</summary>
internal static class UpstreamFaults
{
    public static Fault Named(string fault) => fault switch
    {
        "last byte flipped" => Fault.FlipByte(),
        "one byte too many" => Fault.ExtraByte(),
        "one byte too few" => Fault.ShortBody(),
        "html with 200" => Fault.Html200(),
        "wrong Docker-Content-Digest" => Fault.WrongDigestHeader(),
        "429" => Fault.Status(429, TimeSpan.FromSeconds(1)),
        "drop" => Fault.Drop(),
        "hang before headers" => Fault.HangBeforeHeaders(),
        _ => Fault.Status(int.Parse(fault, CultureInfo.InvariantCulture)),
    };
}
