using Entrepot.Contracts;

namespace Entrepot.Metadata;

/// <summary>What is wanted from an upstream, and by which repository.</summary>
public sealed record FetchRequest
{
    /// <summary>What to fetch.</summary>
    public required FetchKind Kind { get; init; }

    /// <summary>The upstream's configured name, such as <c>docker.io</c>.</summary>
    public required string Upstream { get; init; }

    /// <summary>The repository at the upstream, such as <c>library/nginx</c>.</summary>
    public required string Repository { get; init; }

    /// <summary>The digest or tag; for a list whatever distinguishes it, possibly empty.</summary>
    public required string Reference { get; init; }

    /// <summary>Within one trust domain a blob is fetched once, whatever repository asks; across domains its bytes are downloaded again.</summary>
    public required string TrustDomain { get; init; }

    /// <summary>Nobody waits for it yet: claimed after everything that is waited for.</summary>
    public bool Prefetch { get; init; }

    /// <summary>Bytes, when a manifest says so; decides which slots may take a blob.</summary>
    public long? ExpectedSize { get; init; }

    /// <summary>W3C trace context of the request, for a fetcher that finds the row by polling.</summary>
    public string? TraceParent { get; init; }

    /// <summary>The job key: at most one active fetch has it.</summary>
    public string Key => Kind == FetchKind.Blob ? $"blob|{TrustDomain}|{Reference}" : $"{Kind}|{Upstream}|{Repository}|{Reference}";
}
