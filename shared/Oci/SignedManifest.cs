using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Entrepot.Oci;

/// <summary>
/// Docker schema 1 with its signatures inside (libtrust's pretty JWS). Its digest is that of the payload, the document without the
/// signatures; it is stored and served with them, byte for byte. The signatures themselves are not verified: clients of schema 1 do that,
/// and the digest proves the payload whoever signed it. Source: Docker's spec/manifest-v2-1, Signed Manifests; libtrust, jsonsign.go.
/// </summary>
public static class SignedManifest
{
    private const string Signatures = "signatures";

    /// <summary>
    /// The bytes whose digest names the manifest; null when it is no signed schema 1, so that its own bytes do. It is one when its type says
    /// so, or when the type says no other kind of manifest and the document has the fields of one.
    /// </summary>
    /// <param name="body">The manifest; not kept.</param>
    /// <param name="mediaType">Its media type without parameters, if said.</param>
    /// <exception cref="InvalidManifestException">
    /// It is one, but its signatures do not say, or not all in the same way, what was signed; or it says anything that was not.
    /// </exception>
    public static byte[]? PayloadOrNull(ReadOnlyMemory<byte> body, string? mediaType)
    {
        var isSaid = MediaTypes.Is(mediaType, MediaTypes.DockerSchema1Signed);
        if (!isSaid && (MediaTypes.IsIndex(mediaType) || (MediaTypes.IsManifest(mediaType) && !MediaTypes.IsSchema1(mediaType))))
            return null;

        try
        {
            using var document = JsonDocument.Parse(body);
            return isSaid || HasFieldsOfOne(document.RootElement) ? ReadPayload(body.Span, document.RootElement) : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            return isSaid ? throw new InvalidManifestException("The signed manifest, or what its signatures protect, is not JSON.", e) : null;
        }
    }

    private static bool HasFieldsOfOne(JsonElement root) =>
        root.ValueKind == JsonValueKind.Object
        && root.TryGetProperty("schemaVersion", out var version) && version.ValueKind == JsonValueKind.Number && version.TryGetInt32(out var number) && number == 1
        && root.TryGetProperty("fsLayers", out _)
        && root.TryGetProperty(Signatures, out _);

    private static byte[] ReadPayload(ReadOnlySpan<byte> body, JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object
            || !root.TryGetProperty(Signatures, out var signatures) || signatures.ValueKind != JsonValueKind.Array || signatures.GetArrayLength() == 0)
            throw new InvalidManifestException("The signed manifest has no signatures.");

        (int Length, byte[] Tail)? format = null;
        foreach (var signature in signatures.EnumerateArray())
        {
            var (length, tail) = ReadFormat(signature);
            if (format is { } first && (first.Length != length || !first.Tail.AsSpan().SequenceEqual(tail)))
                throw new InvalidManifestException("The signatures of the manifest disagree on what was signed.");
            format = (length, tail);
        }

        var (formatLength, formatTail) = format!.Value;
        if (formatLength <= 0 || formatLength > body.Length)
            throw new InvalidManifestException($"The signatures of the manifest are said to be over {formatLength} of its {body.Length} bytes.");

        byte[] payload = [.. body[..formatLength], .. formatTail];
        using var signed = JsonDocument.Parse(payload);
        if (signed.RootElement.ValueKind != JsonValueKind.Object)
            throw new InvalidManifestException($"What the manifest's signatures are over is {signed.RootElement.ValueKind}, not a JSON object.");
        CheckNothingElseIsSaid(root, signed.RootElement);
        return payload;
    }

    private static (int Length, byte[] Tail) ReadFormat(JsonElement signature)
    {
        if (signature.ValueKind != JsonValueKind.Object || DescriptorReader.TextOrNull(signature, "protected") is not { } encoded)
            throw new InvalidManifestException("A signature of the manifest has no protected header.");

        using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(encoded));
        return header.RootElement.ValueKind == JsonValueKind.Object
            && header.RootElement.TryGetProperty("formatLength", out var length) && length.ValueKind == JsonValueKind.Number && length.TryGetInt32(out var bytes)
            && DescriptorReader.TextOrNull(header.RootElement, "formatTail") is { } tail
                ? (bytes, Base64Url.DecodeFromChars(tail))
                : throw new InvalidManifestException("A signature of the manifest does not say what it is over (formatLength, formatTail).");
    }

    /// <summary>The digest covers the payload alone: a field beside it would be content that nothing proves.</summary>
    private static void CheckNothingElseIsSaid(JsonElement body, JsonElement payload)
    {
        using var signed = payload.EnumerateObject().GetEnumerator();
        var skipped = 0;
        foreach (var said in body.EnumerateObject())
        {
            if (said.NameEquals(Signatures) && skipped++ == 0)
                continue;
            if (!signed.MoveNext() || !IsSame(said, signed.Current))
                throw new InvalidManifestException($"The manifest's field '{SafeText.Of(said.Name)}' is not what was signed.");
        }

        if (signed.MoveNext())
            throw new InvalidManifestException($"The manifest lacks the field '{SafeText.Of(signed.Current.Name)}' that was signed.");
    }

    private static bool IsSame(JsonProperty one, JsonProperty other) =>
        JsonMarshal.GetRawUtf8PropertyName(one).SequenceEqual(JsonMarshal.GetRawUtf8PropertyName(other))
        && JsonMarshal.GetRawUtf8Value(one.Value).SequenceEqual(JsonMarshal.GetRawUtf8Value(other.Value));
}
