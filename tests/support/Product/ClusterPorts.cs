namespace Entrepot.TestSupport.Product;

/// <summary>Where the servers of a cluster listen that <c>cluster.sh</c> starts from this port on.</summary>
public sealed record ClusterPorts(int Base)
{
    /// <summary>PostgreSQL.</summary>
    public int Postgres => Base + 251;

    /// <summary>RabbitMQ.</summary>
    public int RabbitMq => Base + 252;

    /// <summary>The S3 server.</summary>
    public int S3 => Base + 255;
}
