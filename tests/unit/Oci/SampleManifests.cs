using Entrepot.Oci;

namespace Entrepot.UnitTests.Oci;

/// <summary>One manifest of every kind, as registries hold them.</summary>
internal static class SampleManifests
{
    public const string A = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    public const string B = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    public const string C = "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

    public const string OciImage = $$$"""
        {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}",
         "config":{"mediaType":"{{{MediaTypes.OciConfig}}}","digest":"{{{A}}}","size":7},
         "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"{{{B}}}","size":32654},
                   {"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"{{{C}}}","size":9223372036854775807,"annotations":{"k":"v"}}],
         "annotations":{"org.opencontainers.image.title":"é"},"future":{"x":[1,2,{}]}}
        """;

    public const string DockerImage = $$$"""
        {"schemaVersion":2,"mediaType":"{{{MediaTypes.DockerManifest}}}",
         "config":{"mediaType":"{{{MediaTypes.DockerConfig}}}","digest":"{{{A}}}","size":7},
         "layers":[{"mediaType":"{{{MediaTypes.DockerLayer}}}","digest":"{{{B}}}","size":1}]}
        """;

    public const string OciIndex = $$$"""
        {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciIndex}}}","manifests":[
          {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{A}}}","size":1,"platform":{"os":"linux","architecture":"amd64"}},
          {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{B}}}","size":2,"platform":{"os":"linux","architecture":"arm64","variant":"v8","os.version":"10"}},
          {"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{C}}}","size":3,"artifactType":"application/vnd.x","platform":{"architecture":"unknown"}}]}
        """;

    public const string DockerList = $$$"""
        {"schemaVersion":2,"mediaType":"{{{MediaTypes.DockerManifestList}}}","manifests":[
          {"mediaType":"{{{MediaTypes.DockerManifest}}}","digest":"{{{A}}}","size":1,"platform":{"os":"windows","architecture":"amd64","os.version":"10.0.17763.1"}}]}
        """;

    public const string Schema1 = $$$"""
        {"schemaVersion":1,"name":"library/old","tag":"latest","architecture":"amd64",
         "fsLayers":[{"blobSum":"{{{A}}}"},{"blobSum":"{{{B}}}"},{"blobSum":"{{{A}}}"}],
         "history":[{"v1Compatibility":"{}"}],"signatures":[{"header":{}}]}
        """;

    public const string Artifact = $$$"""
        {"mediaType":"{{{MediaTypes.OciArtifactManifest}}}","artifactType":"application/vnd.example.sbom",
         "blobs":[{"mediaType":"text/spdx","digest":"{{{A}}}","size":3}],
         "subject":{"mediaType":"{{{MediaTypes.OciManifest}}}","digest":"{{{B}}}","size":4}}
        """;
}
