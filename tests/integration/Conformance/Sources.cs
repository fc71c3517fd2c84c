namespace Entrepot.IntegrationTests.Conformance;

/// <summary>Where rules come from.</summary>
internal static class Sources
{
    public const string PullManifests = "OCI distribution-spec v1.1, Pulling manifests";
    public const string PullBlobs = "OCI distribution-spec v1.1, Pulling blobs";
    public const string CheckContent = "OCI distribution-spec v1.1, Checking if content exists in the registry";
    public const string Support = "OCI distribution-spec v1.1, Determining Support";
    public const string ListTags = "OCI distribution-spec v1.1, Listing Tags";
    public const string ListReferrers = "OCI distribution-spec v1.1, Listing Referrers";
    public const string TagSchema = "OCI distribution-spec v1.1, Referrers Tag Schema";
    public const string ErrorCodes = "OCI distribution-spec v1.1, Error Codes";
    public const string Endpoints = "OCI distribution-spec v1.1, Endpoints";
    public const string Legacy = "OCI distribution-spec v1.1, Legacy Docker support HTTP headers";
    public const string Digests = "OCI image-spec v1.1, descriptor.md, Digests";
    public const string ImageIndex = "OCI image-spec v1.1, image-index.md";
    public const string ImageManifest = "OCI image-spec v1.1, manifest.md";
    public const string MediaTypeConflict = "OCI image-spec v1.1, media-types.md, Media Type Conflicts";
    public const string DockerV22 = "Docker, Image Manifest Version 2, Schema 2";
    public const string DockerV21 = "Docker, Image Manifest Version 2, Schema 1";
    public const string DockerApi = "Docker Registry HTTP API V2";
    public const string Catalog = "Docker Registry HTTP API V2, Listing Repositories";
    public const string Suite = "OCI distribution-spec, conformance suite";
    public const string NsParameter = "containerd, registry host namespace (`ns`)";
    public const string PartialPulls = "containers/image, partial pulls of zstd:chunked layers";
    public const string Registries = "distribution (the reference registry)";
    public const string Ggcr = "go-containerregistry, which fails without it";
    public const string Oras = "oras, which seeks only when told so";
    public const string Ours = "Entrepot";
}
