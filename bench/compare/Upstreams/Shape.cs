namespace Entrepot.Bench.Upstreams;

/// <summary>How the upstream answers. Rates are per response, as a CDN shapes them.</summary>
internal enum Shape
{
    /// <summary>As fast as it can.</summary>
    None,

    /// <summary>As fast as docker-registry behind it can: what a real registry is like.</summary>
    Registry,

    /// <summary>50 MiB/s for each response.</summary>
    Rate,

    /// <summary>50 MiB/s for each response, and 30 ms before each.</summary>
    RateAndLatency,
}
