namespace Entrepot.Metadata;

/// <summary>As what a manifest lists a child.</summary>
public enum ReferenceRole
{
    /// <summary>An image's configuration (a blob).</summary>
    Config,

    /// <summary>A layer (a blob).</summary>
    Layer,

    /// <summary>A manifest, listed by an index.</summary>
    Manifest,
}
