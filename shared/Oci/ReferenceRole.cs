namespace Entrepot.Oci;

/// <summary>What a manifest refers to a child as.</summary>
public enum ReferenceRole
{
    /// <summary>A manifest, listed by an index.</summary>
    Manifest,

    /// <summary>The configuration of an image or artifact: a blob.</summary>
    Config,

    /// <summary>A layer of an image, or a blob of an artifact.</summary>
    Layer,
}
