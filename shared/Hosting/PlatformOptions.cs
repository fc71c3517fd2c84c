using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Entrepot.Hosting.Serving;

namespace Entrepot.Hosting;

/// <summary>The root keys that every process of Entrepot has.</summary>
public sealed class PlatformOptions : IValidatableSection
{
    /// <summary>Where to listen; several addresses are separated by <c>;</c>.</summary>
    [Description("Where to listen: http:// and https:// addresses, several separated by `;`. An https address needs `Tls`.")]
    public string Urls { get; set; } = "http://0.0.0.0:5000";

    /// <summary>The folder of everything that is kept.</summary>
    [Description("The folder for everything that is kept; made when missing. Relative to the current directory.")]
    public string DataDirectory { get; set; } = "./data";

    /// <summary>Certificate and key of the https addresses.</summary>
    public TlsOptions Tls { get; set; } = new();

    /// <summary>Whether bodies go out over plain HTTP by sendfile(2) and splice(2), without being copied through the process.</summary>
    [Description("Over plain HTTP, send files by sendfile(2) and what comes from the object store or a fetcher by splice(2), without copying them through the process. Over TLS they are always copied.")]
    public bool SendFile { get; set; } = true;

    /// <summary>How long running responses may go on after SIGTERM. 0 s to 1 h.</summary>
    [Description("How long running responses may go on after SIGTERM; what is still open then is cut short. A container runtime that kills earlier must be told.")]
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan ShutdownGrace { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long new requests are still taken after SIGTERM while <c>/readyz</c> says not ready. 0 s to 5 min.</summary>
    [Description("How long new requests are still taken after SIGTERM while /readyz already says not ready, so that a load balancer can look elsewhere")]
    [Range(typeof(TimeSpan), "00:00:00", "00:05:00")]
    public TimeSpan DrainDelay { get; set; } = TimeSpan.Zero;

    /// <summary>The console log.</summary>
    public LogOptions Log { get; set; } = new();

    /// <summary>Logs and traces for Seq.</summary>
    public TelemetryOptions Telemetry { get; set; } = new();

    /// <summary>The addresses of <see cref="Urls"/>.</summary>
    /// <exception cref="FormatException">Not validated options hold something else.</exception>
    public IReadOnlyList<ListenAddress> ListenAddresses() => [.. ListenAddress.Split(Urls).Select(ListenAddress.Parse)];

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        var https = false;
        var any = false;
        foreach (var url in ListenAddress.Split(Urls))
        {
            any = true;
            if (ListenAddress.TryParse(url, out var address, out var problem, out var fix))
                https |= address.IsHttps;
            else
                yield return new ConfigError($"{path}:Urls", url, problem, fix);
        }

        if (!any)
            yield return new ConfigError($"{path}:Urls", Urls, "names no address", "write http://0.0.0.0:5000");
        if (DataDirectory.Trim().Length == 0)
            yield return new ConfigError($"{path}:DataDirectory", DataDirectory, "names no folder", "write ./data");
        if (https && Tls is { CertificateFile: null, KeyFile: null })
            yield return new ConfigError($"{path}:Tls:CertificateFile", null, "is missing, but Urls has an https address", "name a PEM file with the certificate, and its key in Tls:KeyFile");
    }
}
