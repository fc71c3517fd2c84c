namespace Entrepot.Hosting.Metrics;

/// <summary>What a family is to Prometheus.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>Goes up and down.</summary>
    Gauge,

    /// <summary>How often a value fell below each bound.</summary>
    Histogram,
}
