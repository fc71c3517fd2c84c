using System.Text.Json;
using System.Text.Json.Nodes;

namespace Entrepot.TestSupport.Images;

/// <summary>
/// Makes OCI artifacts as <c>oras attach</c> and <c>cosign sign</c> do, the same digests each time for the same arguments.
/// Source: OCI image spec 1.1, "Guidelines for Artifact Usage" and "Image manifest"; cosign's signature specification.
/// </summary>
public static class ArtifactMaker
{
    /// <summary>The artifact type of the SBOMs made here.</summary>
    public const string SbomType = "application/spdx+json";

    /// <summary>The artifact type of the signatures made here.</summary>
    public const string SignatureType = "application/vnd.cncf.notary.signature";

    /// <summary>The media type of a layer that cosign signs.</summary>
    public const string CosignLayer = "application/vnd.dev.cosign.simplesigning.v1+json";

    /// <summary>The media type of a config that says nothing.</summary>
    public const string EmptyType = "application/vnd.oci.empty.v1+json";

    private static readonly Content Empty = Content.Of("{}"u8.ToArray());

    /// <summary>An artifact of one file: an empty config, the type in the manifest.</summary>
    /// <param name="artifactType">For example <see cref="SbomType"/>.</param>
    /// <param name="layerType">The media type of the file.</param>
    /// <param name="bytes">The file.</param>
    /// <param name="subject">What the artifact is about; null when it stands for itself.</param>
    public static Image Artifact(string artifactType, string layerType, byte[] bytes, Image? subject = null)
    {
        ArgumentNullException.ThrowIfNull(bytes);
        var layer = new Layer(Content.Of(bytes), Content.DigestOf(bytes), Compression.None);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = artifactType,
            ["config"] = Descriptor(EmptyType, Empty),
            ["layers"] = new JsonArray(Descriptor(layerType, layer.Content)),
            ["annotations"] = new JsonObject { ["org.opencontainers.image.created"] = "2024-01-01T00:00:00Z" },
        };
        if (subject is not null) manifest["subject"] = Descriptor(subject.MediaType, subject.Manifest);
        return new Image(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest), Empty, [layer], []);
    }

    /// <summary>What <c>cosign sign</c> stores beside an image, under the tag <see cref="CosignTag"/>. The signature is none: nothing here checks it.</summary>
    public static Image CosignSignature(Image subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        var payload = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["critical"] = new JsonObject { ["identity"] = new JsonObject { ["docker-reference"] = "" }, ["image"] = new JsonObject { ["docker-manifest-digest"] = subject.Digest }, ["type"] = "cosign container image signature" },
            ["optional"] = null,
        });
        var layer = new Layer(Content.Of(payload), Content.DigestOf(payload), Compression.None);
        var config = Content.Of(JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["architecture"] = "",
            ["os"] = "",
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(layer.DiffId) },
        }));
        var descriptor = Descriptor(CosignLayer, layer.Content);
        descriptor["annotations"] = new JsonObject { ["dev.cosignproject.cosign/signature"] = "MEUCIQDsignature" };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = Descriptor(MediaTypes.OciConfig, config),
            ["layers"] = new JsonArray(descriptor),
        };
        return new Image(MediaTypes.OciManifest, JsonSerializer.SerializeToUtf8Bytes(manifest), config, [layer], []);
    }

    /// <summary>The index that a client keeps under <see cref="FallbackTag"/> where the registry has no referrers API; pushing it pushes the artifacts too.</summary>
    /// <param name="referrers">Artifacts made here.</param>
    public static Image FallbackIndex(params Image[] referrers)
    {
        ArgumentNullException.ThrowIfNull(referrers);
        var manifests = referrers.Select(referrer =>
        {
            var descriptor = Descriptor(referrer.MediaType, referrer.Manifest);
            descriptor["artifactType"] = ArtifactTypeOf(referrer);
            return (JsonNode)descriptor;
        });
        var index = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = MediaTypes.OciIndex, ["manifests"] = new JsonArray([.. manifests]) };
        return new Image(MediaTypes.OciIndex, JsonSerializer.SerializeToUtf8Bytes(index), config: null, [], referrers);
    }

    /// <summary>The tag of the referrers of an image: <c>sha256-HEX</c>. Source: OCI distribution spec 1.1, "Referrers Tag Schema".</summary>
    public static string FallbackTag(Image subject)
    {
        ArgumentNullException.ThrowIfNull(subject);
        return subject.Digest.Replace(':', '-');
    }

    /// <summary>The tag of cosign's signatures of an image: <c>sha256-HEX.sig</c>.</summary>
    public static string CosignTag(Image subject) => FallbackTag(subject) + ".sig";

    private static string? ArtifactTypeOf(Image image) => (string?)JsonNode.Parse(image.ManifestBytes.Span)!["artifactType"];

    private static JsonObject Descriptor(string mediaType, Content content) =>
        new() { ["mediaType"] = mediaType, ["digest"] = content.Digest, ["size"] = content.Size };
}
