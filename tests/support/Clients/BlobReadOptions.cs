using System.Net;

namespace Entrepot.TestSupport.Clients;

/// <summary>How a <see cref="BlobReader"/> reads.</summary>
public sealed record BlobReadOptions
{
    /// <summary>The method. Default GET.</summary>
    public HttpMethod Method { get; init; } = HttpMethod.Get;

    /// <summary>A Range header as it is to be sent, for example <c>bytes=0-99</c>.</summary>
    public string? Range { get; init; }

    /// <summary>More headers.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    /// <summary>The address to come from, for example 127.0.0.77; null is the one the kernel chooses.</summary>
    public IPAddress? From { get; init; }

    /// <summary>Reads no faster than this; null is as fast as can be.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>Goes away after so many bytes. Default: never.</summary>
    public long StopAfter { get; init; } = long.MaxValue;

    /// <summary>Is told after each read how many bytes have come so far.</summary>
    public Action<long>? OnBytes { get; init; }
}
