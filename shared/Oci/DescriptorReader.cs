using System.Text.Json;

namespace Entrepot.Oci;

/// <summary>Reads the parts of a manifest; every error names the place, such as <c>layers[3].digest</c>.</summary>
internal static class DescriptorReader
{
    /// <summary>The descriptor an element holds.</summary>
    /// <exception cref="InvalidManifestException">It is no object, its digest is missing or bad, or its size is.</exception>
    public static Descriptor Read(JsonElement element, string place)
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw new InvalidManifestException($"The manifest's {place} is {element.ValueKind}, not a descriptor.");

        return new Descriptor
        {
            MediaType = TextOrNull(element, "mediaType") ?? MediaTypes.OctetStream,
            Digest = ReadDigest(element, "digest", place),
            Size = ReadSize(element, place),
            ArtifactType = TextOrNull(element, "artifactType"),
            Platform = PlatformOrNull(element),
            Annotations = AnnotationsOrNull(element),
        };
    }

    /// <summary>A digest that must be there.</summary>
    /// <exception cref="InvalidManifestException">It is missing or not a supported digest.</exception>
    public static Digest ReadDigest(JsonElement element, string field, string place)
    {
        var text = TextOrNull(element, field);
        return Digest.TryParse(text, out var digest) ? digest : throw new InvalidManifestException(
            text is null
                ? $"The manifest's {place} has no {field}."
                : $"The manifest's {place}.{field} '{SafeText.Of(text)}' is not a sha256 or sha512 digest.");
    }

    /// <summary>A field's text; null when it is missing, empty or no string.</summary>
    public static string? TextOrNull(JsonElement element, string field) =>
        element.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text
            ? text
            : null;

    /// <summary>The annotations of a manifest or descriptor; values that are no strings are left out, none at all is null.</summary>
    public static Dictionary<string, string>? AnnotationsOrNull(JsonElement element)
    {
        if (!element.TryGetProperty("annotations", out var annotations) || annotations.ValueKind != JsonValueKind.Object)
            return null;

        Dictionary<string, string>? read = null;
        foreach (var annotation in annotations.EnumerateObject())
        {
            if (annotation.Value.ValueKind == JsonValueKind.String)
                (read ??= new Dictionary<string, string>(StringComparer.Ordinal))[annotation.Name] = annotation.Value.GetString()!;
        }

        return read;
    }

    private static long ReadSize(JsonElement element, string place)
    {
        if (!element.TryGetProperty("size", out var size) || size.ValueKind == JsonValueKind.Null)
            return Descriptor.UnknownSize;

        return size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out var bytes) && bytes >= 0 ? bytes : throw new InvalidManifestException(
            $"The manifest's {place}.size '{SafeText.Of(size.GetRawText())}' is not a number of bytes.");
    }

    private static string? PlatformOrNull(JsonElement element)
    {
        if (!element.TryGetProperty("platform", out var platform) || platform.ValueKind != JsonValueKind.Object)
            return null;

        var (os, architecture, variant) = (TextOrNull(platform, "os"), TextOrNull(platform, "architecture"), TextOrNull(platform, "variant"));
        if (os is null && architecture is null)
            return null;

        var text = $"{os ?? "unknown"}/{architecture ?? "unknown"}";
        return variant is null ? text : $"{text}/{variant}";
    }
}
