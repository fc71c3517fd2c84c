using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Entrepot.TestSupport.Images;

/// <summary>A Docker schema 1 manifest, signed for real with a P-256 key of its own, in the form libtrust writes: the signatures stand inside the document they sign. Immutable.</summary>
public sealed class SignedSchema1
{
    /// <summary>Its media type.</summary>
    public const string MediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws";

    private SignedSchema1(byte[] payload, int signatures)
    {
        Payload = payload;
        // libtrust cuts the payload behind its last field: the closing brace and the space before it are the tail.
        FormatLength = payload.AsSpan(0, payload.AsSpan().LastIndexOf((byte)'}')).TrimEnd("\n "u8).Length;
        FormatTail = payload[FormatLength..];
        var all = new JsonArray([.. Enumerable.Range(0, signatures).Select(_ => (JsonNode)Sign())]);
        var written = all.ToJsonString(new JsonSerializerOptions { WriteIndented = true, IndentSize = 3 }).Replace("\n", "\n   ", StringComparison.Ordinal);
        Body = [.. payload.AsSpan(0, FormatLength), .. Encoding.UTF8.GetBytes($",\n   \"signatures\": {written}\n}}")];
    }

    /// <summary>What is signed, and what the digest is of.</summary>
    public byte[] Payload { get; }

    /// <summary>The manifest as registries send it.</summary>
    public byte[] Body { get; }

    /// <summary>How many bytes of the payload stand before the signatures.</summary>
    public int FormatLength { get; }

    /// <summary>The rest of the payload.</summary>
    public byte[] FormatTail { get; }

    /// <summary>The digest of the payload, <c>sha256:…</c>.</summary>
    public string Digest => Content.DigestOf(Payload);

    /// <summary>A manifest of these layers.</summary>
    public static SignedSchema1 Of(IReadOnlyList<string> layerDigests, int signatures = 1)
    {
        var layers = string.Join(",\n", layerDigests.Select(digest => $"      {{\n         \"blobSum\": \"{digest}\"\n      }}"));
        var history = string.Join(",\n", layerDigests.Select((_, i) => $"      {{\n         \"v1Compatibility\": \"{{\\\"id\\\":\\\"{i:x64}\\\"}}\"\n      }}"));
        var payload = $$"""
            {
               "schemaVersion": 1,
               "name": "team/old",
               "tag": "1",
               "architecture": "amd64",
               "fsLayers": [
            {{layers}}
               ],
               "history": [
            {{history}}
               ]
            }
            """;
        return new SignedSchema1(Encoding.UTF8.GetBytes(payload.ReplaceLineEndings("\n")), signatures);
    }

    private JsonObject Sign()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        var header = JsonSerializer.SerializeToUtf8Bytes(new { formatLength = FormatLength, formatTail = Base64Url.EncodeToString(FormatTail), time = "2016-01-01T00:00:00Z" });
        var signed = Encoding.ASCII.GetBytes($"{Base64Url.EncodeToString(header)}.{Base64Url.EncodeToString(Payload)}");
        return new JsonObject
        {
            ["header"] = new JsonObject
            {
                ["jwk"] = new JsonObject { ["crv"] = "P-256", ["kty"] = "EC", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) },
                ["alg"] = "ES256",
            },
            ["signature"] = Base64Url.EncodeToString(key.SignData(signed, HashAlgorithmName.SHA256)),
            ["protected"] = Base64Url.EncodeToString(header),
        };
    }
}
