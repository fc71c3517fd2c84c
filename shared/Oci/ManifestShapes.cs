using System.Text.Json;

namespace Entrepot.Oci;

/// <summary>Decides the shape of a document, and refuses one that could be read as two.</summary>
internal static class ManifestShapes
{
    /// <summary>The shape a media type promises; none when the type is not a known one.</summary>
    public static ManifestShape Promised(string? mediaType) =>
        MediaTypes.IsIndex(mediaType) ? ManifestShape.Index
        : MediaTypes.IsSchema1(mediaType) ? ManifestShape.Schema1
        : MediaTypes.IsManifest(mediaType) ? ManifestShape.Image
        : ManifestShape.None;

    /// <summary>The one shape the document has and its media types allow.</summary>
    /// <exception cref="InvalidManifestException">
    /// It has none, or could be read as two by two clients (CVE-2021-41190), or contradicts its media type.
    /// </exception>
    public static ManifestShape Of(JsonElement root, string? contentType, string? bodyType)
    {
        var (byHeader, byBody) = (Promised(contentType), Promised(bodyType));
        if (byHeader != ManifestShape.None && byBody != ManifestShape.None && byHeader != byBody)
            throw new InvalidManifestException($"The manifest came as Content-Type '{contentType}', but its mediaType is '{bodyType}'.");

        var promised = byHeader | byBody;
        var filled = FieldsOf(root, filledOnly: true);
        if (filled is ManifestShape.Index or ManifestShape.Image or ManifestShape.Schema1)
        {
            return promised == ManifestShape.None || promised == filled ? filled : throw new InvalidManifestException(
                $"The manifest's type is '{(byHeader != ManifestShape.None ? contentType : bodyType)}', but its fields are those of another kind ({filled}).");
        }

        if (filled != ManifestShape.None)
            throw new InvalidManifestException($"The manifest can be read as more than one kind ({filled}): it has fields of each.");

        // All lists are empty or null: an image from nothing, an index of nothing.
        var present = FieldsOf(root, filledOnly: false);
        if (promised != ManifestShape.None)
        {
            var mayBeBare = MediaTypes.Is(contentType, MediaTypes.OciArtifactManifest) || MediaTypes.Is(bodyType, MediaTypes.OciArtifactManifest);
            return present.HasFlag(promised) || mayBeBare ? promised : throw new InvalidManifestException(
                $"The manifest's type is '{(byHeader != ManifestShape.None ? contentType : bodyType)}', but it has none of the fields of that kind ({promised}).");
        }

        return present.HasFlag(ManifestShape.Index) ? ManifestShape.Index
            : present.HasFlag(ManifestShape.Image) ? ManifestShape.Image
            : present.HasFlag(ManifestShape.Schema1) ? ManifestShape.Schema1
            : throw new InvalidManifestException("The document is not a manifest: it has no manifests, config, layers, blobs or fsLayers.");
    }

    private static ManifestShape FieldsOf(JsonElement root, bool filledOnly)
    {
        bool Has(string name) => root.TryGetProperty(name, out var value) && (!filledOnly || IsFilled(value));
        return (Has("manifests") ? ManifestShape.Index : 0)
            | (Has("config") || Has("layers") || Has("blobs") ? ManifestShape.Image : 0)
            | (Has("fsLayers") ? ManifestShape.Schema1 : 0);
    }

    private static bool IsFilled(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        _ => true,
    };
}
