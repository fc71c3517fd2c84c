using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Entrepot.TestSupport.Images;
using Entrepot.TestSupport.Upstream;

namespace Entrepot.IntegrationTests.Conformance;

/// <summary>What the upstream holds: every kind of manifest and blob, each under a short name that facts use in braces.</summary>
internal sealed class LabContents
{
    public const string OciArtifact = "application/vnd.oci.artifact.manifest.v1+json";
    public const string Schema1 = "application/vnd.docker.distribution.manifest.v1+json";
    public const string Schema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    public const string Vendor = "application/vnd.example.thing.v2+json";

    private readonly Dictionary<string, (string Digest, byte[] Bytes)> _contents = [];

    public LabContents(MemoryRegistry registry)
    {
        var small = registry.Repository("library/small");
        var layer = Noise(10_000, 1);
        var config = Encoding.UTF8.GetBytes("""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}""");
        Blob(small, "layer", layer);
        Blob(small, "config", config);
        Blob(small, "empty", []);
        Blob(small, "one", "x"u8.ToArray());
        Blob(small, "layer512", layer, sha512: true);
        Blob(small, "gzip", [0x1f, 0x8b, .. Noise(500, 2)]);
        Manifest(small, "small", Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer + "+gzip"), MediaTypes.OciManifest, "1", "latest", "A", "_x", "v1.2-3_4", "0", new string('t', 128), "list");
        var small512 = Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "of sha512");
        _contents["small512"] = (MemoryRepository.DigestOf(small512, sha512: true), small512);
        small.AddManifest(new MemoryManifest(small512, MediaTypes.OciManifest, _contents["small512"].Digest, SaysDigest: true), "512");

        var kinds = registry.Repository("library/kinds");
        Manifest(kinds, "docker", Image(MediaTypes.DockerManifest, MediaTypes.DockerConfig, MediaTypes.DockerLayer), MediaTypes.DockerManifest, "docker");
        Manifest(kinds, "child", Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "child"), MediaTypes.OciManifest);
        Manifest(kinds, "index", Index(MediaTypes.OciIndex, MediaTypes.OciManifest, "child"), MediaTypes.OciIndex, "index");
        Manifest(kinds, "manifest-list", Index(MediaTypes.DockerList, MediaTypes.DockerManifest, "docker"), MediaTypes.DockerList, "manifest-list");
        Manifest(kinds, "nested", Index(MediaTypes.OciIndex, MediaTypes.OciIndex, "index"), MediaTypes.OciIndex, "nested");
        Manifest(kinds, "no-children", Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[]}"""), MediaTypes.OciIndex, "no-children");
        Manifest(kinds, "artifact", Encoding.UTF8.GetBytes($$"""{"mediaType":"{{OciArtifact}}","artifactType":"application/vnd.example.sbom","blobs":[{{Descriptor("application/json", "layer")}}]}"""), OciArtifact, "artifact");
        Manifest(kinds, "vendor", Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"mediaType":"{{Vendor}}","layers":[{{Descriptor("application/x", "layer")}}]}"""), Vendor, "vendor");
        Manifest(kinds, "json", Image(null, MediaTypes.OciConfig, MediaTypes.OciLayer, "json"), "application/json", "json");
        Manifest(kinds, "json-index", Index(null, MediaTypes.OciManifest, "child", " "), "application/json; charset=utf-8", "json-index");
        Manifest(kinds, "typeless", Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "typeless"), null, "typeless");
        Manifest(kinds, "plain", Image(MediaTypes.DockerManifest, MediaTypes.DockerConfig, MediaTypes.DockerLayer, "plain"), "text/plain", "plain");
        Manifest(kinds, "charset", Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "charset"), MediaTypes.OciManifest + "; charset=utf-8", "charset");
        Manifest(kinds, "odd", Encoding.UTF8.GetBytes("\n\t { \"schemaVersion\" :2 ,\r\n\"layers\":[ ],  \"config\":" + Descriptor(MediaTypes.OciConfig, "config") + ",\"mediaType\":\"" + MediaTypes.OciManifest + "\",\"unknown\":{\"\\u00e9\":[1e3,null]} }\n\n"), MediaTypes.OciManifest, "odd");
        Manifest(kinds, "foreign", Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.DockerManifest}}}","config":{{{Descriptor(MediaTypes.DockerConfig, "config")}}},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":99,"digest":"sha256:{{{new string('f', 64)}}}","urls":["https://example.com/layer"]}]}"""), MediaTypes.DockerManifest, "foreign");
        Manifest(kinds, "artifact-image", Encoding.UTF8.GetBytes($$$"""{"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}","artifactType":"application/vnd.example.sig","config":{{{Descriptor("application/vnd.oci.empty.v1+json", "config")}}},"layers":[{{{Descriptor("application/x", "layer")}}}],"subject":{{{Descriptor(MediaTypes.OciManifest, "child")}}},"annotations":{"a":"b"}}"""), MediaTypes.OciManifest, "artifact-image");
        Manifest(kinds, "biggest", Padded(4 << 20), MediaTypes.OciManifest, "biggest");
        Manifest(kinds, "too-big", Padded((4 << 20) + 1), MediaTypes.OciManifest, "too-big");
        Manifest(kinds, "schema1", Encoding.UTF8.GetBytes(Schema1Text()), Schema1, "schema1");
        AddSigned(kinds);

        var silent = Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, "silent");
        _contents["silent"] = (MemoryRepository.DigestOf(silent, sha512: false), silent);
        kinds.AddManifest(new MemoryManifest(silent, MediaTypes.OciManifest, _contents["silent"].Digest, SaysDigest: false), "silent");
        foreach (var blob in new[] { "layer", "config" }) kinds.AddBlob(_contents[blob].Bytes);
    }

    public (string Digest, byte[] Bytes) this[string name] =>
        _contents.TryGetValue(name, out var content) ? content : throw new KeyNotFoundException($"The lab has no content '{name}'.");

    /// <summary>An image of the lab's config and layer; another text is another manifest.</summary>
    public byte[] Image(string? mediaType, string configType, string layerType, string text = "small")
    {
        var manifest = new JsonObject { ["schemaVersion"] = 2 };
        if (mediaType is not null) manifest["mediaType"] = mediaType;
        manifest["config"] = JsonNode.Parse(Descriptor(configType, "config"));
        manifest["layers"] = new JsonArray(JsonNode.Parse(Descriptor(layerType, "layer")));
        manifest["annotations"] = new JsonObject { ["text"] = text };
        return JsonSerializer.SerializeToUtf8Bytes(manifest);
    }

    /// <summary>Bytes that compress badly, the same each time.</summary>
    public static byte[] Noise(int count, int seed)
    {
        var bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>An image for linux/amd64, and what a build leaves beside it: an attestation for a platform that is unknown.</summary>
    private byte[] Index(string? mediaType, string childType, string child, string space = "") => Encoding.UTF8.GetBytes(
        $$"""
        {{{space}} "schemaVersion": 2,{{(mediaType is null ? "" : $" \"mediaType\": \"{mediaType}\",")}} "manifests": [
          { "mediaType": "{{childType}}", "digest": "{{this[child].Digest}}", "size": {{this[child].Bytes.Length}}, "platform": { "architecture": "amd64", "os": "linux" } },
          { "mediaType": "{{childType}}", "digest": "sha256:{{new string('a', 64)}}", "size": 566, "platform": { "architecture": "unknown", "os": "unknown" },
            "annotations": { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": "{{this[child].Digest}}" } } ] }
        """);

    private string Descriptor(string mediaType, string content) =>
        $$"""{"mediaType":"{{mediaType}}","digest":"{{this[content].Digest}}","size":{{this[content].Bytes.Length}}}""";

    private byte[] Padded(int size)
    {
        var bytes = Image(MediaTypes.OciManifest, MediaTypes.OciConfig, MediaTypes.OciLayer, $"of {size} bytes");
        return [.. bytes, .. Enumerable.Repeat((byte)' ', size - bytes.Length)];
    }

    private string Schema1Text() =>
        $$"""
        {
           "schemaVersion": 1,
           "name": "library/kinds",
           "tag": "schema1",
           "architecture": "amd64",
           "fsLayers": [
              {
                 "blobSum": "{{this["layer"].Digest}}"
              }
           ],
           "history": [
              {
                 "v1Compatibility": "{\"id\":\"1\"}"
              }
           ]
        }
        """;

    /// <summary>Signed as Docker signed them: the digest is that of the payload, which is the text without its signatures.</summary>
    private void AddSigned(MemoryRepository repository)
    {
        var payload = Schema1Text().Replace("schema1\"", "signed\"", StringComparison.Ordinal);
        var cut = payload.Length - 2;
        var header = Base64Url($$"""{"formatLength":{{cut}},"formatTail":"{{Base64Url(payload[cut..])}}","time":"2024-01-01T00:00:00Z"}""");
        var text = payload[..cut]
            + ",\n   \"signatures\": [\n      {\n         \"header\": {\n            \"jwk\": {\n               \"crv\": \"P-256\",\n               \"kty\": \"EC\"\n            },\n            \"alg\": \"ES256\"\n         },\n"
            + $"         \"signature\": \"{Base64Url(new string('s', 64))}\",\n         \"protected\": \"{header}\"\n      }}\n   ]\n}}";
        var bytes = Encoding.UTF8.GetBytes(text);
        var digest = Content.DigestOf(Encoding.UTF8.GetBytes(payload));
        _contents["signed"] = (digest, bytes);
        repository.AddManifest(new MemoryManifest(bytes, Schema1Signed, digest, SaysDigest: true), "signed");
    }

    private static string Base64Url(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private void Blob(MemoryRepository repository, string name, byte[] bytes, bool sha512 = false) => _contents[name] = (repository.AddBlob(bytes, sha512), bytes);

    private void Manifest(MemoryRepository repository, string name, byte[] bytes, string? contentType, params string[] tags) =>
        _contents[name] = (repository.AddManifest(bytes, contentType, tags), bytes);
}
