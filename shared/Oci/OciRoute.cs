namespace Entrepot.Oci;

/// <summary>The kinds of paths under <c>/v2/</c>.</summary>
public enum OciRoute
{
    /// <summary><c>/v2</c> or <c>/v2/</c>: is this a registry, and may I?</summary>
    Base,

    /// <summary><c>/v2/_catalog</c>: the repositories.</summary>
    Catalog,

    /// <summary><c>/v2/&lt;name&gt;/manifests/&lt;tag or digest&gt;</c>.</summary>
    Manifest,

    /// <summary><c>/v2/&lt;name&gt;/blobs/&lt;digest&gt;</c>.</summary>
    Blob,

    /// <summary><c>/v2/&lt;name&gt;/blobs/uploads/…</c>: part of a push.</summary>
    Upload,

    /// <summary><c>/v2/&lt;name&gt;/tags/list</c>.</summary>
    TagList,

    /// <summary><c>/v2/&lt;name&gt;/referrers/&lt;digest&gt;</c>.</summary>
    Referrers,
}
