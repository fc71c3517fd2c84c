using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Entrepot.Oci;

/// <summary>The image index that lists what refers to a digest. Source: OCI distribution-spec v1.1, Listing Referrers; OCI image-spec v1.1, image-index.md.</summary>
public static class ReferrersIndex
{
    // Descriptors are passed on as they came; what is written anew needs no more escapes than JSON does.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>
    /// The entries of an index, in its order. Entries without a digest are left out: they lead nowhere. False when it is no index, which is
    /// something else than an index of nothing.
    /// </summary>
    public static bool TryRead(ReadOnlyMemory<byte> index, [NotNullWhen(true)] out IReadOnlyList<Referrer>? referrers)
    {
        referrers = null;
        try
        {
            using var document = JsonDocument.Parse(index);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("manifests", out var list))
                return false;
            // Go writes an empty list as null.
            if (list.ValueKind == JsonValueKind.Null)
            {
                referrers = [];
                return true;
            }

            if (list.ValueKind != JsonValueKind.Array)
                return false;

            var read = new List<Referrer>(list.GetArrayLength());
            foreach (var entry in list.EnumerateArray())
            {
                if (entry.ValueKind == JsonValueKind.Object && DescriptorReader.TextOrNull(entry, "digest") is { } digest)
                    read.Add(new Referrer(digest, DescriptorReader.TextOrNull(entry, "artifactType"), JsonMarshal.GetRawUtf8Value(entry).ToArray()));
            }

            referrers = read;
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is what JsonElement throws for text that is not Unicode.
            return false;
        }
    }

    /// <summary>What stands before the first entry of an index, and behind the last one; a comma stands between two.</summary>
    public const string Before = $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciIndex}}","manifests":[""";

    /// <inheritdoc cref="Before"/>
    public const string After = "]}";

    /// <summary>An index of these entries, in this order.</summary>
    public static byte[] Write(IEnumerable<Referrer> referrers) => WriteJson(writer =>
    {
        writer.WriteStartObject();
        writer.WriteNumber("schemaVersion"u8, 2);
        writer.WriteString("mediaType"u8, MediaTypes.OciIndex);
        writer.WriteStartArray("manifests"u8);
        foreach (var referrer in referrers)
            writer.WriteRawValue(referrer.Json.Span, skipInputValidation: true);
        writer.WriteEndArray();
        writer.WriteEndObject();
    });

    internal static byte[] WriteJson(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, Plain))
            write(writer);
        return buffer.WrittenSpan.ToArray();
    }
}
