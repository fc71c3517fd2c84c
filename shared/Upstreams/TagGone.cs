namespace Entrepot.Upstreams;

/// <summary>What it means when an upstream says that a tag we hold is not there any more.</summary>
public enum TagGone
{
    /// <summary>It is served stale, with a warning, until <see cref="UpstreamOptions.TagGoneMaxAge"/> after the upstream last confirmed it.</summary>
    ServeStale,

    /// <summary>It is gone here too.</summary>
    NotFound,
}
