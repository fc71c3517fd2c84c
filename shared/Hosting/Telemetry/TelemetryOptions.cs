using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Entrepot.Hosting;

/// <summary>Logs and traces for Seq, by OTLP (http/protobuf).</summary>
public sealed class TelemetryOptions
{
    /// <summary>Seq's base address; nothing is sent, and nothing of OpenTelemetry is created, without it.</summary>
    [Description("Base address of a Seq server, such as http://127.0.0.1:5341; logs and traces are sent to its /ingest/otlp/v1/. Nothing is sent without it.")]
    public Uri? OtlpEndpoint { get; set; }

    /// <summary>Seq's API key.</summary>
    [Description("API key for Seq, sent as X-Seq-ApiKey")]
    [Secret]
    public string? ApiKey { get; set; }

    /// <summary>Of how many cache hits one is traced; 0 traces none. Misses, stale answers and errors always are.</summary>
    [Description("One of so many cache hits is traced (0: none); misses, stale answers and errors always are")]
    [Range(0, 1_000_000)]
    public int HitSampling { get; set; } = 1000;

    /// <summary>The service's name in logs and traces; the program's own by default.</summary>
    [Description("The service's name in logs and traces; the program's own by default")]
    public string? ServiceName { get; set; }

    /// <summary>The replica's name in logs and traces; the machine's by default.</summary>
    [Description("The replica's name in logs and traces; the machine's by default")]
    public string? ServiceInstance { get; set; }
}
