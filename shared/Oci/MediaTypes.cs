namespace Entrepot.Oci;

/// <summary>The media types of the registry protocol, and what they say about a body. Comparisons ignore case (RFC 9110 §8.3.1).</summary>
public static class MediaTypes
{
    /// <summary>An OCI image index.</summary>
    public const string OciIndex = "application/vnd.oci.image.index.v1+json";

    /// <summary>An OCI image manifest.</summary>
    public const string OciManifest = "application/vnd.oci.image.manifest.v1+json";

    /// <summary>An OCI artifact manifest: of the 1.1 release candidates only, but some registries still hold them.</summary>
    public const string OciArtifactManifest = "application/vnd.oci.artifact.manifest.v1+json";

    /// <summary>An OCI image configuration.</summary>
    public const string OciConfig = "application/vnd.oci.image.config.v1+json";

    /// <summary>The two bytes <c>{}</c>, where an artifact has no configuration.</summary>
    public const string OciEmpty = "application/vnd.oci.empty.v1+json";

    /// <summary>A Docker manifest list.</summary>
    public const string DockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>A Docker image manifest, version 2 schema 2.</summary>
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    /// <summary>A Docker image manifest, schema 1, with its signatures.</summary>
    public const string DockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    /// <summary>A Docker image manifest, schema 1, unsigned.</summary>
    public const string DockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json";

    /// <summary>A Docker image configuration.</summary>
    public const string DockerConfig = "application/vnd.docker.container.image.v1+json";

    /// <summary>A Docker layer, the only kind schema 1 knows.</summary>
    public const string DockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip";

    /// <summary>Bytes of no said type; what blobs are served as.</summary>
    public const string OctetStream = "application/octet-stream";

    /// <summary>
    /// The Accept header to send to an upstream for any manifest. <c>*/*</c> comes last so that a registry never converts or refuses what
    /// it holds; schema 1 is left to it, because registries that know both would otherwise convert down.
    /// </summary>
    public const string ManifestAccept = $"{OciIndex}, {OciManifest}, {DockerManifestList}, {DockerManifest}, */*;q=0.1";

    /// <summary>Whether the type, without parameters, is a known list of manifests.</summary>
    public static bool IsIndex(ReadOnlySpan<char> mediaType) => Is(mediaType, OciIndex) || Is(mediaType, DockerManifestList);

    /// <summary>Whether the type, without parameters, is OCI's list of manifests.</summary>
    public static bool IsOciIndex(ReadOnlySpan<char> mediaType) => Is(mediaType, OciIndex);

    /// <summary>Whether the type, without parameters, is a known manifest of one image or artifact; an index is not.</summary>
    public static bool IsManifest(ReadOnlySpan<char> mediaType) =>
        Is(mediaType, OciManifest) || Is(mediaType, DockerManifest) || Is(mediaType, OciArtifactManifest) || IsSchema1(mediaType);

    /// <summary>Whether the type, without parameters, is Docker's schema 1, signed or not.</summary>
    public static bool IsSchema1(ReadOnlySpan<char> mediaType) => Is(mediaType, DockerSchema1Signed) || Is(mediaType, DockerSchema1);

    internal static bool Is(ReadOnlySpan<char> mediaType, string expected) => mediaType.Equals(expected, StringComparison.OrdinalIgnoreCase);
}
