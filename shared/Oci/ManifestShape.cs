namespace Entrepot.Oci;

/// <summary>What kind of manifest a document is by its fields, whatever its media type says.</summary>
[Flags]
internal enum ManifestShape
{
    /// <summary>No manifest that is known.</summary>
    None = 0,

    /// <summary>It has <c>manifests</c>.</summary>
    Index = 1,

    /// <summary>It has <c>config</c>, <c>layers</c> or (an artifact manifest) <c>blobs</c>.</summary>
    Image = 2,

    /// <summary>It has <c>fsLayers</c>.</summary>
    Schema1 = 4,
}
